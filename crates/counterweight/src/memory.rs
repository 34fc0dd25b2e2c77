//! How much memory this process may take.

use std::fs::read_to_string;
use std::path::Path;

/// Bytes that the machine has and that its limits (`ulimit -v`, `ulimit -d`, control groups) leave; `None`
/// where the system does not say.
pub(crate) fn limit() -> Option<u64> {
    let machine = read_to_string("/proc/meminfo")
        .ok()
        .as_deref()
        .and_then(total);
    let process = read_to_string("/proc/self/limits")
        .ok()
        .as_deref()
        .and_then(soft_limit);
    let groups = [
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ];
    let groups = groups.map(|file| read_to_string(Path::new(file)).ok()?.trim().parse().ok());
    [machine, process].into_iter().chain(groups).flatten().min()
}

/// Bytes that a process (default: this one) holds in memory; `None` where the system does not say, or there is no
/// such process.
pub fn resident(process: Option<u32>) -> Option<u64> {
    let process = process.map_or_else(|| "self".to_owned(), |id| id.to_string());
    let text = read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// `MemTotal` of /proc/meminfo.
fn total(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// The smaller soft limit of address space and data of /proc/self/limits.
fn soft_limit(text: &str) -> Option<u64> {
    let of = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    ["Max address space", "Max data size"]
        .into_iter()
        .filter_map(of)
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_of_what_the_system_says() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max data size             unlimited            unlimited            bytes\n\
                      Max address space         6000000000           unlimited            bytes\n";
        assert_eq!(soft_limit(limits), Some(6_000_000_000));
        assert_eq!(
            soft_limit("Max data size   unlimited unlimited bytes\n"),
            None
        );
        assert_eq!(
            total("MemTotal:        8146420 kB\nMemFree: 1 kB\n"),
            Some(8_341_934_080)
        );
    }
}
