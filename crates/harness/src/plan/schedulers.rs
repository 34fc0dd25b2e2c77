//! What schedulers tell their tasks: which of how many each is.

use std::fmt::Write as _;

/// Where a scheduler's indices begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    /// At this number.
    At(usize),
    /// At 0 where this variable is 0, else at 1.
    AsIn(&'static str),
}

/// A scheduler and the variables that its tasks find.
#[derive(Clone, Copy, Debug)]
pub struct Scheduler {
    /// What people call it.
    pub name: &'static str,
    /// The variable that holds a task's index.
    pub variable: &'static str,
    first: First,
    /// The variable that holds how many tasks there are, where it has one.
    count: Option<&'static str>,
    /// What the variable holds where there is no array; empty where it is then not set.
    outside: &'static str,
    /// Whether it stands around others: set for every task of an allocation, it says nothing beside another.
    around: bool,
}

/// A scheduler that says how many tasks there are.
const fn counted(
    name: &'static str,
    variable: &'static str,
    first: First,
    count: &'static str,
) -> Scheduler {
    Scheduler {
        count: Some(count),
        ..plain(name, variable, first)
    }
}

const fn plain(name: &'static str, variable: &'static str, first: First) -> Scheduler {
    Scheduler {
        name,
        variable,
        first,
        count: None,
        outside: "",
        around: false,
    }
}

/// Those that `--shard auto` knows.
pub const SCHEDULERS: [Scheduler; 14] = [
    counted(
        "Slurm, job array",
        "SLURM_ARRAY_TASK_ID",
        First::AsIn("SLURM_ARRAY_TASK_MIN"),
        "SLURM_ARRAY_TASK_COUNT",
    ),
    Scheduler {
        around: true,
        ..counted("Slurm, srun", "SLURM_PROCID", First::At(0), "SLURM_NTASKS")
    },
    plain("HyperQueue", "HQ_TASK_ID", First::At(1)),
    plain("Kubernetes", "JOB_COMPLETION_INDEX", First::At(0)),
    Scheduler {
        outside: "undefined",
        ..counted("SGE", "SGE_TASK_ID", First::At(1), "SGE_TASK_LAST")
    },
    plain("PBS", "PBS_ARRAY_INDEX", First::At(1)),
    plain("Torque", "PBS_ARRAYID", First::At(1)),
    Scheduler {
        outside: "0",
        ..counted("LSF", "LSB_JOBINDEX", First::At(1), "LSB_JOBINDEX_END")
    },
    plain("GNU parallel", "PARALLEL_SEQ", First::At(1)),
    counted(
        "Open MPI",
        "OMPI_COMM_WORLD_RANK",
        First::At(0),
        "OMPI_COMM_WORLD_SIZE",
    ),
    counted("MPICH, Intel MPI", "PMI_RANK", First::At(0), "PMI_SIZE"),
    counted(
        "AWS Batch",
        "AWS_BATCH_JOB_ARRAY_INDEX",
        First::At(0),
        "AWS_BATCH_JOB_ARRAY_SIZE",
    ),
    counted("GitLab CI", "CI_NODE_INDEX", First::At(1), "CI_NODE_TOTAL"),
    plain("Buildkite", "BUILDKITE_PARALLEL_JOB", First::At(0)),
];

/// What a task finds of one scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found {
    /// From 1.
    index: usize,
    count: Option<usize>,
}

impl Scheduler {
    /// What its variables say; `None` where it runs no array here.
    fn find(&self, get: &dyn Fn(&str) -> Option<String>) -> Result<Option<Found>, String> {
        let number = |variable: &str| -> Result<Option<usize>, String> {
            let text = get(variable).unwrap_or_default();
            let text = text.trim();
            if text.is_empty() {
                return Ok(None);
            }
            let number = text.parse().map(Some);
            number.map_err(|_no_number| format!("{variable} is `{text}`, and no number"))
        };
        let text = get(self.variable).unwrap_or_default();
        if text.trim() == self.outside {
            return Ok(None);
        }
        let Some(index) = number(self.variable)? else {
            return Ok(None);
        };
        let count = self.count.map(number).transpose()?.flatten();
        if self.around && count.is_none() {
            return Ok(None);
        }
        let first = match self.first {
            First::At(first) => first,
            First::AsIn(variable) => usize::from(number(variable)? != Some(0)),
        };
        match (index + 1).checked_sub(first).filter(|index| *index > 0) {
            Some(index) => Ok(Some(Found { index, count })),
            None => Err(format!(
                "{} is {index}, and {} is to count from {first}",
                self.variable, self.name
            )),
        }
    }

    fn base(&self) -> String {
        match self.first {
            First::At(first) => first.to_string(),
            First::AsIn(variable) => format!("0 where {variable} is 0, else 1"),
        }
    }
}

/// Index from 1 and count of the task that this process is, where `asked` is the N of `auto/N`.
///
/// # Errors
/// In words: no scheduler, more than one, an index out of range, another count than the scheduler's.
pub(super) fn of_task(
    asked: Option<usize>,
    get: &dyn Fn(&str) -> Option<String>,
) -> Result<(usize, usize), String> {
    let mut found: Vec<(&Scheduler, Found)> = Vec::new();
    for scheduler in &SCHEDULERS {
        if let Some(task) = scheduler.find(get)? {
            found.push((scheduler, task));
        }
    }
    if found.len() > 1 {
        found.retain(|(scheduler, _)| !scheduler.around);
    }
    let Some(&(scheduler, task)) = found.first() else {
        return Err(format!(
            "`auto` finds no scheduler's index in {}; write I/N",
            SCHEDULERS.map(|scheduler| scheduler.variable).join(", ")
        ));
    };
    let variable = scheduler.variable;
    if let Some((other, second)) = found.iter().find(|(_, other)| *other != task) {
        return Err(format!(
            "`auto` finds two schedulers: {variable} ({}) names task {}{}, {} ({}) task {}{}; start it with `env -u {}`, \
             or write I/N",
            scheduler.name,
            task.index,
            of(task.count),
            other.variable,
            other.name,
            second.index,
            of(second.count),
            other.variable,
        ));
    }
    let count = match (asked, task.count) {
        (Some(asked), Some(count)) if asked != count => {
            return Err(format!(
                "{} is {count}, and `auto/{asked}` asks for {asked} shards, which would leave some out; submit as many \
                 tasks as shards, or write I/N, such as \"${variable}/{asked}\" where tasks count from 1",
                scheduler.count.unwrap_or(variable)
            ));
        }
        (Some(count), _) | (None, Some(count)) => count,
        (None, None) => {
            return Err(format!(
                "{} does not say how many tasks there are; write auto/N",
                scheduler.name
            ));
        }
    };
    if task.index > count {
        return Err(format!(
            "{variable} names task {}, and there are {count} shards; {} is to count from {}",
            task.index,
            scheduler.name,
            scheduler.base()
        ));
    }
    Ok((task.index, count))
}

fn of(count: Option<usize>) -> String {
    count.map_or_else(String::new, |count| format!(" of {count}"))
}

/// The schedulers in a line, for help.
pub fn known() -> String {
    let of = |s: Scheduler| format!("{} ({})", s.name, s.variable);
    SCHEDULERS.map(of).join("; ")
}

/// The schedulers as a table of documentation.
pub fn table() -> String {
    let mut text =
        String::from("| scheduler | index | counts from | how many tasks |\n|---|---|---|---|\n");
    for scheduler in &SCHEDULERS {
        let count = scheduler
            .count
            .map_or_else(|| "-".to_owned(), |count| format!("`{count}`"));
        let _ = writeln!(
            text,
            "| {} | `{}` | {} | {count} |",
            scheduler.name,
            scheduler.variable,
            scheduler.base()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(asked: Option<usize>, variables: &[(&str, &str)]) -> Result<(usize, usize), String> {
        of_task(asked, &|wanted| {
            let found = variables.iter().find(|(name, _)| *name == wanted)?;
            Some(found.1.to_owned())
        })
    }

    #[test]
    fn each_scheduler_is_known_by_its_own_numbers() {
        for (variables, n, index) in [
            (
                &[
                    ("SLURM_ARRAY_TASK_ID", "2"),
                    ("SLURM_ARRAY_TASK_MIN", "1"),
                    ("SLURM_ARRAY_TASK_COUNT", "4"),
                ][..],
                4,
                2,
            ),
            (
                &[
                    ("SLURM_ARRAY_TASK_ID", "2"),
                    ("SLURM_ARRAY_TASK_MIN", "0"),
                    ("SLURM_ARRAY_TASK_COUNT", "4"),
                ],
                4,
                3,
            ),
            // An array job's batch step is task 0 of one besides.
            (
                &[
                    ("SLURM_ARRAY_TASK_ID", "4"),
                    ("SLURM_PROCID", "0"),
                    ("SLURM_NTASKS", "1"),
                ],
                4,
                4,
            ),
            (&[("SLURM_PROCID", "3"), ("SLURM_NTASKS", "4")], 4, 4),
            (
                &[
                    ("HQ_TASK_ID", "1"),
                    ("SLURM_PROCID", "0"),
                    ("SLURM_NTASKS", "2"),
                ],
                4,
                1,
            ),
            (&[("JOB_COMPLETION_INDEX", "0")], 4, 1),
            (&[("SGE_TASK_ID", "3"), ("SGE_TASK_LAST", "4")], 4, 3),
            (
                &[("PBS_ARRAY_INDEX", "4"), ("SGE_TASK_ID", "undefined")],
                4,
                4,
            ),
            (&[("PBS_ARRAYID", "4"), ("LSB_JOBINDEX", "0")], 4, 4),
            (&[("LSB_JOBINDEX", " 2 "), ("LSB_JOBINDEX_END", "4")], 4, 2),
            (&[("PARALLEL_SEQ", "3")], 4, 3),
            (
                &[
                    ("OMPI_COMM_WORLD_RANK", "2"),
                    ("OMPI_COMM_WORLD_SIZE", "4"),
                    ("SLURM_PROCID", "0"),
                    ("SLURM_NTASKS", "4"),
                ],
                4,
                3,
            ),
            (
                &[
                    ("PMI_RANK", "0"),
                    ("PMI_SIZE", "4"),
                    ("SLURM_PROCID", "0"),
                    ("SLURM_NTASKS", "4"),
                ],
                4,
                1,
            ),
            (
                &[
                    ("OMPI_COMM_WORLD_RANK", "1"),
                    ("OMPI_COMM_WORLD_SIZE", "4"),
                    ("PMI_RANK", "1"),
                    ("PMI_SIZE", "4"),
                ],
                4,
                2,
            ),
            (
                &[
                    ("AWS_BATCH_JOB_ARRAY_INDEX", "1"),
                    ("AWS_BATCH_JOB_ARRAY_SIZE", "4"),
                ],
                4,
                2,
            ),
            (&[("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "4")], 4, 1),
            (&[("BUILDKITE_PARALLEL_JOB", "0")], 4, 1),
        ] {
            assert_eq!(task(Some(n), variables), Ok((index, n)), "{variables:?}");
            let counted = variables.iter().any(|(name, _)| {
                SCHEDULERS
                    .iter()
                    .any(|s| !s.around && s.count == Some(name))
            });
            assert!(
                !counted || task(None, variables) == Ok((index, n)),
                "{variables:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_meant_is_said() {
        for (asked, variables, said) in [
            (
                Some(4),
                &[][..],
                "no scheduler's index in SLURM_ARRAY_TASK_ID, SLURM_PROCID, HQ_TASK_ID",
            ),
            // Outside of an array.
            (
                Some(4),
                &[("SGE_TASK_ID", "undefined")],
                "no scheduler's index",
            ),
            (Some(4), &[("LSB_JOBINDEX", "0")], "no scheduler's index"),
            (Some(4), &[("SLURM_PROCID", "0")], "no scheduler's index"),
            (
                Some(4),
                &[("HQ_TASK_ID", "2"), ("PARALLEL_SEQ", "1")],
                "two schedulers: HQ_TASK_ID (HyperQueue) names task 2, PARALLEL_SEQ (GNU parallel) task 1",
            ),
            (
                Some(4),
                &[
                    ("SLURM_ARRAY_TASK_ID", "2"),
                    ("SLURM_ARRAY_TASK_COUNT", "4"),
                    ("HQ_TASK_ID", "2"),
                ],
                "two schedulers",
            ),
            (
                Some(4),
                &[("HQ_TASK_ID", "0")],
                "HQ_TASK_ID is 0, and HyperQueue is to count from 1",
            ),
            (
                Some(4),
                &[("HQ_TASK_ID", "5")],
                "HQ_TASK_ID names task 5, and there are 4 shards",
            ),
            (
                Some(4),
                &[("JOB_COMPLETION_INDEX", "4")],
                "names task 5, and there are 4 shards",
            ),
            (
                Some(4),
                &[("JOB_COMPLETION_INDEX", "x")],
                "JOB_COMPLETION_INDEX is `x`, and no number",
            ),
            (Some(4), &[("PARALLEL_SEQ", "-1")], "is `-1`, and no number"),
            (
                Some(8),
                &[
                    ("SLURM_ARRAY_TASK_ID", "2"),
                    ("SLURM_ARRAY_TASK_COUNT", "4"),
                ],
                "SLURM_ARRAY_TASK_COUNT is 4, and `auto/8` asks for 8 shards",
            ),
            (
                Some(2),
                &[("SLURM_PROCID", "1"), ("SLURM_NTASKS", "4")],
                "SLURM_NTASKS is 4, and `auto/2`",
            ),
            (
                None,
                &[("HQ_TASK_ID", "1")],
                "HyperQueue does not say how many tasks there are; write auto/N",
            ),
        ] {
            let error = task(asked, variables).unwrap_err();
            assert!(error.contains(said), "{variables:?}: {error}");
        }
    }

    /// Help, documentation and errors have the same table.
    #[test]
    fn the_documentation_has_the_table() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CLUSTER.md");
        // A package has no documentation beside it.
        if let Ok(text) = std::fs::read_to_string(file) {
            assert!(
                text.contains(&table()),
                "docs/CLUSTER.md is to hold\n{}",
                table()
            );
        }
        assert!(SCHEDULERS.iter().all(|s| known().contains(s.variable)));
    }
}
