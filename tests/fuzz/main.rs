//! Feeds mutated inputs to everything that parses: arguments, records, configuration files, xenstore's answers, files of /proc and
//! /sys, listings of rules. Nothing may panic, hang or end the process.
//!
//! Seeds are in `corpus/`, those of /proc and /sys in `tests/fixtures`. `FUZZ_SECONDS` is the time for each target, `FUZZ_SEED`
//! chooses the run. A failing input is saved, and its path printed; `FUZZ_REPLAY=PATH cargo test --test fuzz TARGET` runs it alone.
//! (The kernel's binary tables are fuzzed by the unit tests of `firewall::table`.)

mod host;
mod mutate;

use std::any::Any;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::exit;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::spawn;
use std::time::{Duration, Instant};

use host::Host;
use mutate::{Random, mutate};

/// The longest time for an input: far longer than any takes.
const HANG: Duration = Duration::from_secs(60);

fn variable<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

/// Returns the seeds of a target.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Runs a target on its seeds and on mutations of them, until its time is over.
fn fuzz(name: &'static str, seeds: &[Vec<u8>], run: impl Fn(&mut Host, &[u8])) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    fs::create_dir_all(&folder).unwrap();
    let mut host = Host::new(&folder, name);
    if let Some(path) = variable::<PathBuf>("FUZZ_REPLAY") {
        return run(&mut host, &fs::read(path).unwrap());
    }
    let seed = variable("FUZZ_SEED").unwrap_or(1);
    let end = Instant::now() + Duration::from_secs_f64(variable("FUZZ_SECONDS").unwrap_or(2.0));
    let input_file = folder.join(format!("{name}-{seed}"));
    let alive = watch(input_file.clone());
    let mut random = Random(seed);
    let mut count = 0;
    while Instant::now() < end || count < seeds.len() {
        let input = match seeds.get(count) {
            Some(seed) => seed.clone(),
            None => {
                let seed = random.one_of(seeds);
                mutate(&mut random, &seed.clone(), seeds)
            }
        };
        // before it runs: it may end this process
        fs::write(&input_file, &input).unwrap();
        let _ = alive.send(());
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(&mut host, &input))) {
            panic!("{}: FUZZ_REPLAY={} cargo test --test fuzz {name}", text(&*panic), input_file.display());
        }
        count += 1;
    }
    fs::remove_file(&input_file).unwrap();
    println!("{name}: {count} inputs, seed {seed}");
}

/// Ends the process if nothing is sent for a long time: an input hangs.
fn watch(input: PathBuf) -> std::sync::mpsc::Sender<()> {
    let (sender, receiver) = channel();
    spawn(move || {
        loop {
            match receiver.recv_timeout(HANG) {
                Ok(()) => (),
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    eprintln!("hangs: {}", input.display());
                    exit(1);
                }
            }
        }
    });
    sender
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}

#[test]
fn arguments() {
    fuzz("arguments", &corpus("arguments"), |host, input| {
        let words: Vec<&[u8]> = input.split(|&byte| byte == b'\n').filter(|word| !word.contains(&0)).collect();
        if let Some((name, words)) = words.split_first() {
            host.run(name, words);
        }
    });
}

#[test]
fn record() {
    fuzz("record", &corpus("record"), |host, input| {
        for file in ["run/brouter/1/n.network", "run/brouter/1/n.changing"] {
            host.put(file, input);
            host.read_networks();
            host.remove(file);
        }
    });
}

#[test]
fn former() {
    fuzz("former", &corpus("former"), |host, input| {
        host.put("run/brouter/1/n.masquerade", input);
        host.read_networks();
    });
}

#[test]
fn conf() {
    fuzz("conf", &corpus("conf"), |host, input| {
        host.put("etc/brouter/n.conf", input);
        host.read_networks();
    });
}

#[test]
fn xenstore() {
    fuzz("xenstore", &corpus("xenstore"), |host, input| host.ask_xenstore(input));
}

#[test]
fn rules() {
    for (name, program) in [("iptables-save", "iptables-save"), ("nft", "nft")] {
        fuzz(name, &corpus(name), |host, input| {
            host.put(&format!("{program}.said"), input);
            host.run(b"brouter", &[b"doctor", b"xenbr0"]);
        });
    }
}

#[test]
fn proc_and_sys() {
    let files = host::fixture_files();
    let seeds: Vec<Vec<u8>> = files.iter().map(|(path, text)| [path.as_bytes(), b"\n", text].concat()).collect();
    fuzz("proc-and-sys", &seeds, |host, input| {
        let place = input.iter().position(|&byte| byte == b'\n').unwrap_or_default();
        let path = String::from_utf8_lossy(&input[..place]);
        // the mutation may have hit the path, which belongs to the host
        if let Some((path, text)) = files.iter().find(|(known, _)| *known == *path) {
            host.put(path, &input[place..][1..]);
            host.run_all();
            host.put(path, text);
        }
    });
}
