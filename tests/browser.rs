//! The report page in a real browser, and `report --select` through the binary.
//!
//! Headless Chromium opens a copy of the page with a probe appended (`browser/probe.js`) that uses
//! the page as a reader does and writes what it finds into the document; a content policy in the
//! same copy refuses and reports whatever is asked of the network. Without Chromium on the path
//! these tests fail where `.ci/run` could have installed it, and say elsewhere that they are skipped.

#[expect(dead_code, reason = "each test program uses a part of it")]
mod common;
mod programs;
mod select;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use common::Place;

const SWEEP: &str = r#"format = 1
name = "in-a-browser"
seed = 7
[protocol]
repeats = 2
[[population]]
kind = "gaussian-pair"
n_train = 300
n_test = 400
imbalance_ratio = [3, 20]
[[population]]
kind = "gaussian-simplex"
dim = [3, 4, 5]
n_train = 300
n_test = 400
imbalance_ratio = [3, 20]
[[population]]
kind = "moons"
n_train = 300
n_test = 400
imbalance_ratio = [3, 20]
[[model]]
kind = "gaussian-naive-bayes"
[[model]]
kind = "softmax-regression"
[[correction]]
id = "none"
[[correction]]
id = "weights"
loss = { kind = "weighted" }
[[correction]]
id = "oversampling"
resample = { kind = "random-over" }
[[correction]]
id = "adjust"
decide = { kind = "logit-adjust", tau = [0.5, 1.0, 1.5] }
"#;

/// Chromium, where there is one.
fn browser() -> Option<PathBuf> {
    programs::program(&["chromium", "chromium-browser"])
}

/// A report that is made once for all tests.
fn place() -> &'static Place {
    static PLACE: OnceLock<Place> = OnceLock::new();
    PLACE.get_or_init(|| {
        let place = Place::with_sweep(SWEEP);
        place.call(&["run", "demo", "--quiet"]).ends_with(0);
        place
    })
}

/// Starts the browser with a profile of its own and gives what it prints.
fn call(browser: &Path, place: &Place, profile: &str, arguments: &[String]) -> String {
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--virtual-time-budget=5000",
        ])
        .arg(format!("--user-data-dir={}", place.path(profile).display()))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("chromium starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The page with the probe, and `extra` markup at its end, in a file of its own; its address.
fn probed(place: &Place, name: &str, extra: &str) -> String {
    const GUARD: &str = "<head><script>window.probeRefused = [];\
        addEventListener('securitypolicyviolation', function (e) {\
        window.probeRefused.push(e.blockedURI); });</script>\
        <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; \
        style-src 'unsafe-inline'; script-src 'unsafe-inline'\">";
    let page = place.read("demo/index.html");
    assert_eq!(page.matches("<head>").count(), 1);
    assert_eq!(page.matches("</body>").count(), 1);
    let probe = include_str!("browser/probe.js");
    let page = page.replace("<head>", GUARD).replace(
        "</body>",
        &format!("{extra}<script>{probe}</script></body>"),
    );
    place.write(&format!("demo/{name}.html"), &page);
    address(place, name)
}

fn address(place: &Place, name: &str) -> String {
    format!(
        "file://{}",
        place.path(&format!("demo/{name}.html")).display()
    )
}

/// A page that shows another in a frame of this width, since no window is narrower than 500 pixels,
/// and keeps what the probe inside tells it; its address.
fn framed(place: &Place, name: &str, width: u32) -> String {
    let page = format!(
        "<!DOCTYPE html><title>frame</title><body style=\"margin:0\"><script>\
         addEventListener('message', function (e) {{ var out = document.createElement('pre'); \
         out.id = 'probe-result'; out.textContent = e.data; document.body.appendChild(out); }});\
         </script><iframe src=\"{name}.html\" width=\"{width}\" height=\"1400\" \
         style=\"border:0\"></iframe>"
    );
    place.write(&format!("demo/frame-{name}.html"), &page);
    address(place, &format!("frame-{name}"))
}

/// What the probe finds at a width of the page.
fn probe(browser: &Path, name: &str, dark: bool, width: u32, extra: &str) -> serde_json::Value {
    let place = place();
    let mut page = probed(place, name, extra);
    if width < 500 {
        page = framed(place, name, width);
    }
    let mut arguments = vec![
        format!("--window-size={width},900"),
        "--dump-dom".to_owned(),
        page,
    ];
    if dark {
        arguments.insert(0, "--blink-settings=preferredColorScheme=0".to_owned());
    }
    told(&call(
        browser,
        place,
        &format!("profile-{name}"),
        &arguments,
    ))
}

/// What the probe wrote into the document.
fn told(dom: &str) -> serde_json::Value {
    let found = dom
        .split_once("<pre id=\"probe-result\">")
        .and_then(|(_, rest)| rest.split_once("</pre>"))
        .expect("the probe wrote its result");
    serde_json::from_str(found.0).expect("the result is JSON")
}

#[track_caller]
fn none_of(found: &serde_json::Value, keys: &[&str]) {
    for key in keys {
        let list = found[*key].as_array().expect("a list");
        assert!(list.is_empty(), "{key}: {list:?}");
    }
}

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    let list = value.as_array().expect("a list");
    list.iter().filter_map(serde_json::Value::as_f64).collect()
}

#[test]
fn a_reader_finds_sorts_and_filters_without_the_network() {
    let Some(browser) = browser() else { return };
    let found = probe(&browser, "light", false, 1280, "");
    for (key, value) in found.as_object().expect("an object") {
        assert!(!key.ends_with("Error"), "{key}: {value}");
    }
    assert_eq!(found["dark"], false);
    none_of(
        &found,
        &[
            "requests", "contrast", "captions", "headings", "keyboard", "labels",
        ],
    );
    assert!(found["texts"].as_u64() > Some(500), "{}", found["texts"]);
    assert_eq!(found["h1"], 1);
    assert_eq!(found["landmarks"], serde_json::json!([1, 1, 1, 1]));
    assert_eq!(found["lang"], "en");
    assert!(found["tables"].as_u64() > Some(5) && found["figures"].as_u64() > Some(3));

    let sorting = &found["sorting"];
    let (up, down) = (numbers(&sorting["up"]), numbers(&sorting["down"]));
    assert!(up.len() > 3 && up.len() == down.len());
    assert!(up.is_sorted() && up.first() < up.last(), "{up:?}");
    assert!(down.iter().rev().is_sorted(), "{down:?}");
    assert_eq!(sorting["upState"], "ascending");
    assert_eq!(sorting["downState"], "descending");
    assert_eq!(sorting["sorted"], 1, "one column says that it is sorted");

    let filtering = &found["filtering"];
    let (rows, left) = (filtering["rows"].as_u64(), filtering["left"].as_u64());
    assert!(left >= Some(1) && left < rows, "{filtering}");
    assert_eq!(filtering["match"], true);
    let status = format!("{} of {} rows", left.unwrap_or(0), rows.unwrap_or(0));
    assert!(
        filtering["status"]
            .as_str()
            .is_some_and(|said| said.starts_with(&status))
    );
    assert_eq!(
        filtering["ofModel"], true,
        "a cell of the matrix leads to its rows"
    );
    assert_ne!(filtering["model"], "");
    assert_eq!(
        filtering["explain"], true,
        "and names the command that explains one"
    );
    assert_eq!(
        filtering["back"].as_u64(),
        rows,
        "an empty filter keeps all"
    );
    let values = found["values"].as_array().expect("a list");
    assert!(values[0] != "" && values[0] != values[1], "{values:?}");
}

/// The committed pages keep the size that they promise.
#[test]
fn the_committed_pages_are_small() {
    let Some(browser) = browser() else { return };
    let reports = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reports");
    for report in std::fs::read_dir(reports).unwrap() {
        let (place, report) = (place(), report.unwrap());
        let Ok(page) = std::fs::read_to_string(report.path().join("index.html")) else {
            continue;
        };
        let name = report.file_name().display().to_string();
        assert!(page.len() < 1_000_000, "{name}: {}", page.len());
        let extra = format!(
            "<script>{}</script></body>",
            include_str!("browser/probe.js")
        );
        place.write(
            &format!("demo/of-{name}.html"),
            &page.replace("</body>", &extra),
        );
        let address = address(place, &format!("of-{name}"));
        let arguments = [
            "--window-size=1280,900".to_owned(),
            "--dump-dom".to_owned(),
            address,
        ];
        let found = told(&call(
            &browser,
            place,
            &format!("profile-{name}"),
            &arguments,
        ));
        assert!(
            found["screens"].as_f64() <= Some(8.0),
            "{name}: {} screens",
            found["screens"]
        );
        // A page that answers a question of its own says question, design and theory first.
        let most = if page.contains("class=\"asked\"") {
            450
        } else {
            250
        };
        assert!(
            found["words"].as_u64() <= Some(most),
            "{name}: {} words",
            found["words"]
        );
        assert_eq!(found["cut"], 0, "{name}");
        none_of(
            &found,
            &["contrast", "captions", "headings", "labels", "wide"],
        );
    }
}

#[test]
fn the_dark_page_can_be_read() {
    let Some(browser) = browser() else { return };
    let found = probe(&browser, "dark", true, 1280, "");
    assert_eq!(found["dark"], true);
    none_of(&found, &["contrast", "requests"]);
}

#[test]
fn a_narrow_page_does_not_scroll_sideways() {
    let Some(browser) = browser() else { return };
    let found = probe(&browser, "narrow", false, 400, "");
    assert_eq!((&found["width"], &found["cut"]), (&400.into(), &0.into()));
    none_of(&found, &["wide"]);
    assert_eq!(found["overflow"], 0);
}

/// The probe finds faults where there are some.
#[test]
fn the_probe_sees_requests_and_faint_text() {
    let Some(browser) = browser() else { return };
    let faults = "<img src=\"https://example.invalid/x.png\" alt=\"\"><p style=\"color:#ccc;\
        background:#fff\">faint words</p><h5>deep</h5><table><tbody><tr><td>1</td></tr></tbody>\
        </table><div style=\"width:3000px\">wide</div>";
    let found = probe(&browser, "faults", false, 1280, faults);
    let requests = found["requests"].to_string();
    assert!(requests.contains("example.invalid"), "{requests}");
    let contrast = found["contrast"].to_string();
    assert!(contrast.contains("faint words: 1.6"), "{contrast}");
    assert_eq!(found["headings"], serde_json::json!(["deep"]));
    assert_eq!(found["captions"].as_array().map(Vec::len), Some(1));
    assert!(found["overflow"].as_f64() > Some(1000.0));
}

#[test]
fn screenshots_and_print_are_pictures() {
    let Some(browser) = browser() else { return };
    let place = place();
    for width in [1280, 400] {
        let file = place.path(&format!("shot-{width}.png"));
        let arguments = [
            format!("--window-size={width},1400"),
            format!("--screenshot={}", file.display()),
            if width < 500 {
                framed(place, "index", width)
            } else {
                address(place, "index")
            },
        ];
        call(&browser, place, &format!("profile-{width}"), &arguments);
        let png = place.bytes(&format!("shot-{width}.png"));
        assert!(png.starts_with(b"\x89PNG\r\n\x1a\n") && png.len() > 20_000);
        assert_eq!(png.get(16..20), Some(&u32::to_be_bytes(width)[..]));
    }
    let file = place.path("page.pdf");
    let arguments = [
        format!("--print-to-pdf={}", file.display()),
        "--no-pdf-header-footer".to_owned(),
        address(place, "index"),
    ];
    call(&browser, place, "profile-print", &arguments);
    let pdf = place.bytes("page.pdf");
    assert!(
        pdf.starts_with(b"%PDF-") && pdf.len() > 50_000,
        "{}",
        pdf.len()
    );
}
