//! Tests the layers of the source: imports point down, rooms on one floor do not import each other, and files form no cycle.
//!
//! Parses the sources as text. Resolves every path that a file names (`use` trees, `crate::…`, `super::…`, names of imported or
//! declared modules) to the file that defines the item, through re-exports, so that a re-export hides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Rooms (the modules directly below `src/`) by floor, from the ground up. A room imports rooms of lower floors only.
const FLOORS: [&[&str]; 18] = [
    &["net", "patience", "stdio", "small_file", "terminal"],
    &["era", "json", "shell"],
    &["error"],
    &["texts"],
    &["kernel"],
    &["program"],
    &["run_file"],
    &["lock", "xenstore"],
    &["firewall"],
    &["inspect"],
    &["network"],
    &["call"],
    &["entry"],
    &["brctl", "ip", "xen", "manage"],
    &["applet"],
    &["main", "bin"],
    &["arena", "no_unwind"],
    &["lib"],
];

#[test]
fn imports_point_down() {
    let faults = House::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).faults();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// Checks sources that follow the rules, and for each rule sources that break it.
#[test]
fn each_rule_can_be_broken() {
    let good = [
        ("lib.rs", "pub mod net; pub mod kernel; pub mod brctl; pub mod ip;"),
        ("net/mod.rs", "mod mac; pub use mac::Mac;"),
        ("net/mac.rs", "pub struct Mac;"),
        ("kernel/mod.rs", "mod handle; mod link; pub use handle::Kernel; pub use link::Link;"),
        ("kernel/handle.rs", "pub struct Kernel;"),
        (
            "kernel/link.rs",
            "use super::Kernel; use crate::net::Mac; pub struct Link; impl Kernel { fn link(&self) {} }",
        ),
        ("brctl/mod.rs", "mod set; use crate::kernel::{self, Link}; fn run() { set::setfd(); kernel::Kernel; }"),
        ("brctl/set.rs", "use crate::kernel::Kernel; pub fn setfd() {}"),
        ("ip/mod.rs", "use crate::net; fn run() { net::Mac; }\n#[cfg(test)]\nmod tests { use crate::brctl::run; }"),
    ];
    let faults_with = |file: &str, more: &str| {
        let sources = good.iter().map(|(name, text)| {
            let more = if *name == file { more } else { "" };
            (name.to_string(), format!("{text}\n{more}"))
        });
        House::of(sources.collect()).faults()
    };
    assert_eq!(faults_with("", ""), Vec::<String>::new());
    for (file, more, fault) in [
        ("net/mac.rs", "use crate::kernel::Kernel;", "net/mac.rs imports kernel/handle.rs, which is not below it"),
        (
            "net/mac.rs",
            "fn f() { crate::kernel::Kernel; }",
            "net/mac.rs imports kernel/handle.rs, which is not below it",
        ),
        ("net/mac.rs", "use crate::kernel;", "net/mac.rs imports kernel/mod.rs, which is not below it"),
        ("ip/mod.rs", "use crate::brctl::set::setfd;", "ip/mod.rs imports brctl/set.rs, which is not below it"),
        (
            "ip/mod.rs",
            "use {crate::brctl as b}; fn g() { b::set::setfd() }",
            "ip/mod.rs imports brctl/set.rs, which is not below it",
        ),
        ("kernel/handle.rs", "use super::link::Link;", "cycle: kernel/handle.rs kernel/link.rs"),
        ("kernel/handle.rs", "use crate::kernel::*;", "cycle: kernel/handle.rs kernel/link.rs"),
        ("brctl/set.rs", "use super::run;", "cycle: brctl/mod.rs brctl/set.rs"),
        ("brctl/set.rs", "fn g() { super::run() }", "cycle: brctl/mod.rs brctl/set.rs"),
    ] {
        let faults = faults_with(file, more);
        assert!(faults.iter().any(|found| found == fault), "{file}: {more}: {faults:?}");
    }
    let stranger = House::of(vec![("lib.rs".into(), String::new()), ("attic.rs".into(), String::new())]);
    assert_eq!(stranger.faults(), ["attic.rs: the room attic is on no floor"]);
}

/// All sources, by path below `src/`.
struct House {
    files: BTreeMap<String, Source>,
}

/// The names that a source file uses and defines.
struct Source {
    module: Vec<String>,
    /// Names bound by `use`, with absolute paths. A glob binds `*`.
    imports: Vec<(String, Vec<String>)>,
    /// Other paths in the text, absolute.
    paths: Vec<Vec<String>>,
    /// Names of items that the file defines.
    items: BTreeSet<String>,
}

impl House {
    fn read(folder: &Path) -> Self {
        let mut sources = Vec::new();
        let mut folders = vec![folder.to_path_buf()];
        while let Some(next) = folders.pop() {
            for entry in fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_string();
                    sources.push((name, fs::read_to_string(&path).unwrap()));
                }
            }
        }
        assert!(sources.len() > 100, "the sources were not found");
        House::of(sources)
    }

    fn of(sources: Vec<(String, String)>) -> Self {
        House { files: sources.into_iter().map(|(name, text)| (name.clone(), Source::parse(&name, &text))).collect() }
    }

    /// Returns the violations of the rules as text.
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (name, source) in &self.files {
            let Some(floor) = floor(name) else {
                faults.push(format!("{name}: the room {} is on no floor", room(name)));
                continue;
            };
            let bound = source.imports.iter().map(|(_, path)| path);
            for target in bound.chain(&source.paths).flat_map(|path| self.definers(path, 0)) {
                if target.file != name && floor_of_target(target.file) >= floor && room(target.file) != room(name) {
                    faults.push(format!("{name} imports {}, which is not below it", target.file));
                }
                // naming a module does not use it yet
                if target.is_item && target.file != name {
                    edges.entry(name).or_default().insert(target.file);
                }
            }
        }
        faults.extend(cycles(&edges).into_iter().map(|files| format!("cycle: {}", files.join(" "))));
        faults.sort();
        faults.dedup();
        faults
    }

    /// Resolves a path to the file that defines the item, or to that of the module if the path names no item.
    fn definers(&self, path: &[String], depth: usize) -> Vec<Target<'_>> {
        let mut module: Vec<String> = Vec::new();
        let mut rest = path;
        while let Some((first, behind)) = rest.split_first() {
            module.push(first.clone());
            if self.file_of(&module).is_none() {
                module.pop();
                break;
            }
            rest = behind;
        }
        let Some((file, source)) = self.file_of(&module) else { return Vec::new() };
        let Some(item) = rest.first() else {
            return if module.is_empty() { Vec::new() } else { vec![Target { file, is_item: false }] };
        };
        if source.items.contains(item) || depth > 8 {
            return vec![Target { file, is_item: true }];
        }
        let follow = |path: &Vec<String>, item: Option<&String>| {
            let path: Vec<String> = path.iter().chain(item).chain(&rest[1..]).cloned().collect();
            self.definers(&path, depth + 1)
        };
        if item == "*" {
            let all = source.imports.iter().flat_map(|(_, path)| follow(path, None));
            return all.chain([Target { file, is_item: !source.items.is_empty() }]).collect();
        }
        let named = source.imports.iter().filter(|(name, _)| name == item).flat_map(|(_, path)| follow(path, None));
        let globs = source.imports.iter().filter(|(name, _)| name == "*");
        let mut found: Vec<_> = named.collect();
        if found.is_empty() {
            let of_glob = |path: &Vec<String>| follow(&path[..path.len() - 1].to_vec(), Some(item));
            found = globs.flat_map(|(_, path)| of_glob(path)).filter(|target| target.is_item).collect();
        }
        if found.is_empty() { vec![Target { file, is_item: true }] } else { found }
    }

    fn file_of(&self, module: &[String]) -> Option<(&str, &Source)> {
        self.files
            .iter()
            .find(|(name, source)| source.module == module && !matches!(room(name), "main" | "bin"))
            .map(|(name, source)| (name.as_str(), source))
    }
}

struct Target<'a> {
    file: &'a str,
    is_item: bool,
}

fn room(file: &str) -> &str {
    file.split('/').next().unwrap_or(file).trim_end_matches(".rs")
}

fn floor(file: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room(file)))
}

fn floor_of_target(file: &str) -> usize {
    floor(file).unwrap_or(FLOORS.len())
}

/// Returns the sets of files that import each other, directly or indirectly.
fn cycles<'a>(edges: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Vec<Vec<&'a str>> {
    let reachable = |from: &'a str| {
        let mut seen = BTreeSet::new();
        let mut next = vec![from];
        while let Some(file) = next.pop() {
            next.extend(edges.get(file).into_iter().flatten().filter(|target| seen.insert(**target)));
        }
        seen
    };
    let reach: BTreeMap<_, _> = edges.keys().map(|file| (*file, reachable(file))).collect();
    let mut sets = BTreeSet::new();
    for (file, seen) in &reach {
        if seen.contains(file) {
            let together = seen.iter().filter(|other| reach.get(**other).is_some_and(|back| back.contains(file)));
            sets.insert(together.copied().collect::<Vec<_>>());
        }
    }
    sets.into_iter().collect()
}

impl Source {
    fn parse(name: &str, text: &str) -> Self {
        let stem = name.trim_end_matches(".rs").trim_end_matches("/mod");
        let module: Vec<String> = match stem {
            "lib" => Vec::new(),
            stem => stem.split('/').map(String::from).collect(),
        };
        let tokens = tokens(&without_tests(&plain(text)));
        let mut source = Source { module, imports: Vec::new(), paths: Vec::new(), items: BTreeSet::new() };
        let mut at = 0;
        while at < tokens.len() {
            let word = tokens[at].as_str();
            match word {
                "use" => {
                    at += 1;
                    source.take_use(&tokens, &mut at, &mut Vec::new());
                }
                "fn" | "struct" | "enum" | "const" | "static" | "type" | "trait" | "union" | "macro_rules" => {
                    let named = tokens[at + 1..].iter().find(|token| token.starts_with(is_letter) && *token != "mut");
                    source.items.extend(named.cloned());
                    at += 1;
                }
                "mod" if tokens.get(at + 2).is_some_and(|token| token == ";") => {
                    let child = [&source.module[..], &tokens[at + 1..at + 2]].concat();
                    source.imports.push((tokens[at + 1].clone(), child));
                    at += 3;
                }
                _ => at += 1,
            }
        }
        source.take_paths(&tokens);
        // declaring a child module does not import it yet
        let children = source.module.len() + 1;
        let module = source.module.clone();
        source
            .imports
            .retain(|(name, path)| !(path.len() == children && path.starts_with(&module) && path.last() == Some(name)));
        source
    }

    /// Parses a `use` tree from its start to `;`, `,` or `}`.
    fn take_use(&mut self, tokens: &[String], at: &mut usize, prefix: &mut Vec<String>) {
        let length = prefix.len();
        while *at < tokens.len() {
            match tokens[*at].as_str() {
                "{" => {
                    *at += 1;
                    while tokens[*at] != "}" {
                        self.take_use(tokens, at, prefix);
                        if tokens[*at] == "," {
                            *at += 1;
                        }
                    }
                    *at += 1;
                    break;
                }
                "::" => *at += 1,
                "as" => {
                    let alias = tokens[*at + 1].clone();
                    *at += 2;
                    self.bind(alias, prefix);
                    break;
                }
                ";" | "," | "}" => {
                    let name = prefix.last().cloned().unwrap_or_default();
                    let name = if name == "self" { prefix[prefix.len() - 2].clone() } else { name };
                    self.bind(name, prefix);
                    break;
                }
                word => {
                    prefix.push(word.into());
                    *at += 1;
                }
            }
        }
        prefix.truncate(length);
    }

    fn bind(&mut self, name: String, path: &[String]) {
        if let Some(path) = self.absolute(path) {
            self.imports.push((name, path));
        }
    }

    /// Returns the path from the crate's root; `None` for other crates.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        let mut base = match first.as_str() {
            "crate" | "brouter" => Vec::new(),
            "self" => self.module.clone(),
            "super" => self.module[..self.module.len().checked_sub(1)?].to_vec(),
            child => {
                let (_, path) = self.imports.iter().find(|(name, _)| name == child)?;
                path.clone()
            }
        };
        for word in rest {
            match word.as_str() {
                "super" => drop(base.pop()),
                "self" => (),
                word => base.push(word.into()),
            }
        }
        Some(base)
    }

    /// Collects paths outside of `use`: those that begin with `crate`, `super`, `self`, or with a name that `use` or `mod` binds.
    fn take_paths(&mut self, tokens: &[String]) {
        let mut at = 0;
        while at < tokens.len() {
            if tokens[at] == "use" {
                while tokens[at] != ";" {
                    at += 1;
                }
                continue;
            }
            let is_start =
                tokens[at].starts_with(is_letter) && (at == 0 || tokens[at - 1] != "::" && tokens[at - 1] != ".");
            let mut path = vec![tokens[at].clone()];
            at += 1;
            if !is_start {
                continue;
            }
            while at + 1 < tokens.len() && tokens[at] == "::" && tokens[at + 1].starts_with(is_letter) {
                path.push(tokens[at + 1].clone());
                at += 2;
            }
            if path.len() > 1
                && let Some(path) = self.absolute(&path)
            {
                self.paths.push(path);
            }
        }
    }
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

/// Replaces comments and quoted text with blanks.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '"' => quoted(rest, '"'),
            '\'' if rest[1..].starts_with('\\') => quoted(rest, '\''),
            '\'' if rest.chars().nth(2) == Some('\'') => 2 + rest.chars().nth(1).map_or(0, char::len_utf8),
            'r' if rest.starts_with("r#\"") => rest.find("\"#").map_or(rest.len(), |end| end + 2),
            _ => 0,
        };
        match skipped {
            0 => plain.push(c),
            _ => plain.push(' '),
        }
        rest = &rest[skipped.max(c.len_utf8())..];
    }
    plain
}

/// Returns the length in bytes of a quoted text with its quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            c if c == quote => return at + 1,
            _ => (),
        }
    }
    text.len()
}

/// Removes modules of unit tests.
fn without_tests(text: &str) -> String {
    let Some((before, tests)) = text.split_once("#[cfg(test)]\nmod tests {") else { return text.into() };
    let mut depth = 1;
    let end = tests.find(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        depth == 0
    });
    [before, &without_tests(&tests[end.map_or(tests.len(), |end| end + 1)..])].concat()
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = text.trim_start();
    while let Some(c) = rest.chars().next() {
        let length = match c {
            c if is_letter(c) => rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            c => c.len_utf8(),
        };
        tokens.push(rest[..length].into());
        rest = rest[length..].trim_start();
    }
    tokens
}
