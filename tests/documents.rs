//! Tests that manual pages, completions and guides are complete and correct: they name what the programs have, and nothing else.
//!
//! The facts come from the programs' own help, and from tables in the source.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use libtest_mimic::{Arguments, Trial};

const PROJECT: &str = env!("CARGO_MANIFEST_DIR");
const BROUTER: &str = env!("CARGO_BIN_EXE_brouter");
const BRCTL: &str = env!("CARGO_BIN_EXE_brctl");

type Words = BTreeSet<String>;

/// The tests, each with the program that it needs besides ours.
const TESTS: [(&str, fn(), &str); 14] = [
    ("brouter_and_its_page_have_the_same_options", brouter_and_its_page_have_the_same_options, ""),
    ("ip_and_its_page_have_the_same_options", ip_and_its_page_have_the_same_options, "mandoc"),
    ("brctl_and_its_page_have_the_same_verbs", brctl_and_its_page_have_the_same_verbs, ""),
    ("scripts_and_their_pages_have_the_same_variables", scripts_and_their_pages_have_the_same_variables, ""),
    ("source_and_pages_have_the_same_environment_variables", source_and_pages_have_the_same_environment_variables, ""),
    ("the_introduction_lists_every_command", the_introduction_lists_every_command, ""),
    ("every_command_has_a_page_with_the_usual_sections", every_command_has_a_page_with_the_usual_sections, ""),
    ("the_pages_pass_mandoc_lint", the_pages_pass_mandoc_lint, "mandoc"),
    ("brouter_compat_is_generated_from_deviations", brouter_compat_is_generated_from_deviations, ""),
    ("the_guides_name_existing_files", the_guides_name_existing_files, ""),
    ("packages_and_changelogs_have_the_version_of_cargo", packages_and_changelogs_have_the_version_of_cargo, ""),
    ("the_tests_that_hold_the_promises_exist", the_tests_that_hold_the_promises_exist, ""),
    ("bash_offers_all_commands_and_options", bash_offers_all_commands_and_options, "bash"),
    ("zsh_offers_all_commands_and_options", zsh_offers_all_commands_and_options, "zsh"),
];

/// Runs the tests. Those whose program is missing are skipped with a notice; if `BROUTER_TEST_STRICT` is 1, they fail.
fn main() -> ExitCode {
    let is_strict = std::env::var_os("BROUTER_TEST_STRICT").is_some_and(|value| value == "1");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let trial = |(name, test, program): (&str, fn(), &str)| {
        let is_missing = !std::env::split_paths(&path).any(|folder| folder.join(program).exists());
        if is_missing {
            eprintln!("*** {name} CANNOT RUN: {program} is missing");
        }
        let run = move || {
            test();
            Ok(())
        };
        Trial::test(name, run).with_ignored_flag(is_missing && !is_strict)
    };
    libtest_mimic::run(&Arguments::from_args(), TESTS.map(trial).into()).exit_code()
}

fn file(path: &str) -> String {
    fs::read_to_string(Path::new(PROJECT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the files of a folder and its subfolders.
fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(Path::new(PROJECT).join(folder)).expect(folder);
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut all: Vec<PathBuf> =
        paths.flat_map(|path| if path.is_dir() { files(path.to_str().unwrap()) } else { vec![path] }).collect();
    all.sort();
    all
}

/// Returns the names and texts of the manual pages.
fn pages() -> Vec<(String, String)> {
    let named = |path: PathBuf| (path.file_name().unwrap().to_string_lossy().into_owned(), path);
    files("man").into_iter().map(named).map(|(name, path)| (name, fs::read_to_string(path).unwrap())).collect()
}

fn run(program: &str, args: &[&str]) -> Output {
    let output = Command::new(program).args(args).env("BROUTER_ERA", "today").output();
    output.unwrap_or_else(|error| panic!("{program} is needed here: {error}"))
}

fn printed(program: &str, args: &[&str]) -> String {
    let Output { stdout, stderr, .. } = run(program, args);
    String::from_utf8([stdout, stderr].concat()).unwrap()
}

/// Returns the options in the help of one of brouter's own commands.
fn options(command: &[&str]) -> Words {
    let help = printed(BROUTER, &[command, &["--help"]].concat());
    // `-q, --quiet`
    let option = |line: &str| {
        let mut words = line.strip_prefix("  ")?.split_whitespace();
        words
            .find(|word| !(word.len() == 3 && word.ends_with(',')))
            .filter(|word| word.starts_with("--"))
            .map(|word| word.replace(',', ""))
    };
    let options: Words = help.lines().filter_map(option).collect();
    assert!(options.contains("--help"), "{command:?} has no help: {help}");
    options
}

/// Returns the string literals between two texts of a source file.
fn quoted(source: &str, from: &str, to: &str) -> Words {
    let (_, rest) = source.split_once(from).unwrap_or_else(|| panic!("no {from:?}"));
    let table = rest.split(to).next().unwrap();
    table.split('"').skip(1).step_by(2).map(String::from).collect()
}

/// Returns the arguments of a macro such as `.Va`, without punctuation and other macros.
fn arguments(page: &str, name: &str) -> Words {
    let lines = page.lines().filter_map(|line| {
        let line = line.strip_prefix(".It ").or_else(|| line.strip_prefix('.'))?;
        Some(line.strip_prefix(name)?.strip_prefix(' ')?.trim())
    });
    let is_name =
        |word: &&str| word.len() > 1 && word.chars().all(|letter| letter.is_ascii_alphabetic() || letter == '_');
    lines
        .flat_map(|line| line.split(" Ns ").next().unwrap().split_whitespace().filter(is_name).map(String::from))
        .collect()
}

/// Renders a page as text, with white space collapsed.
fn rendered(page: &str) -> String {
    let path = Path::new(PROJECT).join("man").join(page);
    let output = run("mandoc", &["-Tascii", "-Owidth=1000", path.to_str().unwrap()]);
    let mut text = String::new();
    // overstriking makes bold: each letter, backspace, the letter again
    for letter in String::from_utf8_lossy(&output.stdout).chars() {
        match letter {
            '\u{8}' => _ = text.pop(),
            letter => text.push(letter),
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the words that `actual` lacks.
fn missing<'a>(expected: &'a Words, actual: &'a Words) -> Vec<&'a String> {
    expected.difference(actual).collect()
}

fn brouter_and_its_page_have_the_same_options() {
    let page = file("man/brouter.8");
    let in_page: Words = page
        .split("Fl -")
        .skip(1)
        .map(|rest| rest.split(|letter: char| !letter.is_ascii_lowercase() && letter != '-').next().unwrap())
        .map(|name| ["--", name].concat())
        .collect();
    let mut there = options(&[]);
    for command in OWN_COMMANDS {
        there.extend(options(&[command]));
    }
    assert_eq!(missing(&there, &in_page), Vec::<&String>::new(), "not in the page");
    // other programs' options in examples are not marked up
    assert_eq!(missing(&in_page, &there), Vec::<&String>::new(), "no such option");
}

/// brouter's own commands.
const OWN_COMMANDS: [&str; 6] = ["up", "down", "ls", "status", "doctor", "offload"];

#[test]
fn help_explains_each_command() {
    let all = printed(BROUTER, &["--help"]);
    assert_eq!([&["-h"][..], &["help"]].map(|words| printed(BROUTER, words)), [all.clone(), all.clone()]);
    let applets = printed(BROUTER, &["--list"]);
    for command in applets.lines().chain(OWN_COMMANDS) {
        assert!(all.lines().any(|line| line.starts_with(&format!("  {command} "))), "{command} is not in {all}");
        let help = run(BROUTER, &["help", command]);
        assert!(help.status.success() && help.stdout.len() > 20, "{command}: {help:?}");
    }
    for command in OWN_COMMANDS {
        let wanted = printed(BROUTER, &[command, "--help"]);
        assert_eq!(
            [["help", command], [command, "-h"]].map(|words| printed(BROUTER, &words)),
            [wanted.clone(), wanted]
        );
    }
    let version = concat!("brouter ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(["version", "-V", "--version"].map(|word| printed(BROUTER, &[word])), [version; 3]);
}

#[test]
fn a_word_that_is_nearly_right_is_corrected() {
    for (words, wanted) in [
        ("stauts", "brouter: stauts: no such command: did you mean status?\nTry brouter --help.\n"),
        ("dwon n", "brouter: dwon: no such command: did you mean down?\nTry brouter --help.\n"),
        ("help docter", "brouter: docter: no such command: did you mean doctor?\nTry brouter --help.\n"),
        ("vif-brige", "brouter: vif-brige: no such command: did you mean vif-bridge?\nTry brouter --help.\n"),
        ("netstat", "brouter: netstat: no such command\nTry brouter --help.\n"),
        ("--instal /x", "brouter: Unrecognized argument: --instal\nDid you mean --install?\nTry brouter --help.\n"),
        (
            "up n --adress 1",
            "brouter: Unrecognized argument: --adress\nDid you mean --address?\nTry brouter up --help.\n",
        ),
        ("up n --mtu=9", "brouter: Unrecognized argument: --mtu=9\nDid you mean --mtu 9?\nTry brouter up --help.\n"),
        ("ls --quite", "brouter: Unrecognized argument: --quite\nDid you mean --quiet?\nTry brouter ls --help.\n"),
        ("doctor --dot", "brouter: Unrecognized argument: --dot\nTry brouter doctor --help.\n"),
    ] {
        let output = run(BROUTER, &words.split(' ').collect::<Vec<_>>());
        assert_eq!(
            (output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()),
            (Some(2), wanted),
            "{words}"
        );
    }
}

fn ip_and_its_page_have_the_same_options() {
    let options = quoted(&file("src/ip/option_args.rs"), "const OPTIONS", "\n];");
    let options: Words = options.into_iter().filter(|word| word.starts_with('-')).collect();
    assert!(options.len() > 20, "{options:?}");
    let text = rendered("ip-brouter.8").replace(['[', ']'], "");
    let (text, _) = text.split_once(" EXAMPLES ").expect("examples, with other programs' options");
    let in_page: Words = text
        .split(|letter: char| letter.is_whitespace() || ",;|()".contains(letter))
        .map(|word| word.trim_end_matches(['.', ':']))
        .filter(|word| {
            word.len() > 1
                && word.starts_with('-')
                && word[1..].chars().all(|letter| letter.is_alphanumeric() || letter == '-')
        })
        .map(String::from)
        .collect();
    let is_in_page = |option: &&String| !in_page.contains(*option) && *option != "-stats";
    assert_eq!(options.iter().filter(is_in_page).collect::<Vec<_>>(), Vec::<&String>::new(), "not in the page");
    let is_unknown = |word: &&String| !options.iter().any(|option| option.starts_with(word.as_str()));
    // the end of options; a word of `address show`; an option of arp
    let unknown =
        in_page.iter().filter(is_unknown).filter(|word| !["--", "-tentative", "-Ds"].contains(&word.as_str()));
    assert_eq!(unknown.collect::<Vec<_>>(), Vec::<&String>::new(), "no such option");
}

fn brctl_and_its_page_have_the_same_verbs() {
    let usage = printed(BRCTL, &["--help"]);
    let verbs: Words =
        usage.lines().filter_map(|line| line.strip_prefix('\t')?.split_whitespace().next()).map(String::from).collect();
    assert!(verbs.len() > 10, "{usage}");
    let in_page = arguments(&file("man/brctl.8"), "Cm");
    assert_eq!(missing(&verbs, &in_page), Vec::<&String>::new(), "not in the page");
    let items: Words = file("man/brctl.8")
        .lines()
        .filter_map(|line| line.strip_prefix(".It Cm ")?.split_whitespace().next().map(String::from))
        .collect();
    assert_eq!(missing(&items, &verbs), Vec::<&String>::new(), "no such verb");
}

fn scripts_and_their_pages_have_the_same_variables() {
    let variables = |path: &str| quoted(&file(path), "const VARIABLES", "];");
    let mut of_networks = variables("src/network/setting.rs");
    of_networks.extend(quoted(&file("src/network/setting.rs"), "const FORMER", "];"));
    let environment = environment();
    for (page, there) in [
        ("brouter.8", of_networks),
        ("network-virtual.8", variables("src/xen/network_virtual/words.rs")),
        ("network-bridge.8", variables("src/xen/network_bridge/settings.rs")),
        ("network-route.8", variables("src/xen/network_route.rs")),
        ("network-nat.8", variables("src/xen/network_nat.rs")),
        ("vif-bridge.8", variables("src/xen/vif_bridge/mod.rs")),
        ("vif-route.8", variables("src/xen/vif_route/mod.rs")),
        ("vif-nat.8", variables("src/xen/vif_nat/mod.rs")),
    ] {
        assert!(there.len() > 3, "{page}: {there:?}");
        let text = file(&["man/", page].concat());
        let mut in_page = arguments(&text, "Va");
        let in_environment = arguments(&text, "Ev");
        let mut marked = in_page.clone();
        marked.extend(in_environment.clone());
        marked.extend(arguments(&text, "Cm"));
        assert_eq!(missing(&there, &marked), Vec::<&String>::new(), "not in {page}");
        in_page.extend(in_environment);
        let unknown = missing(&in_page, &there);
        let unknown =
            unknown.into_iter().filter(|name| !environment.contains(*name) && !FOREIGN.contains(&name.as_str()));
        assert_eq!(unknown.collect::<Vec<_>>(), Vec::<&String>::new(), "{page} has an unknown variable");
    }
}

/// Kernel settings that the pages mention.
const FOREIGN: [&str; 1] = ["accept_ra"];

/// Returns the environment variables that the source reads.
fn environment() -> Words {
    let mut names: Words = [String::from("BROUTER_ERA")].into();
    for path in files("src") {
        let source = fs::read_to_string(path).unwrap();
        let asked = source.split("environment)(\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
        names.extend(asked);
    }
    names
}

fn source_and_pages_have_the_same_environment_variables() {
    assert!(file("src/era.rs").contains("\"BROUTER_ERA\""));
    let there = environment();
    assert!(there.len() > 3, "{there:?}");
    let pages = pages();
    let in_pages: Words = pages.iter().flat_map(|(_, page)| arguments(page, "Ev")).collect();
    assert_eq!(missing(&there, &marked_anywhere(&pages)), Vec::<&String>::new(), "in no page");
    let in_capitals =
        in_pages.into_iter().filter(|name| name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_'));
    assert_eq!(missing(&in_capitals.collect(), &there), Vec::<&String>::new(), "not read by any program");
}

fn marked_anywhere(pages: &[(String, String)]) -> Words {
    pages.iter().flat_map(|(_, page)| ["Ev", "Cm", "Va"].map(|mark| arguments(page, mark))).flatten().collect()
}

fn the_introduction_lists_every_command() {
    let introduction = printed(BROUTER, &[]);
    let listed: Words =
        introduction.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next().map(String::from)).collect();
    let mut commands: Words = printed(BROUTER, &["--list"]).lines().map(String::from).collect();
    commands.extend(OWN_COMMANDS.into_iter().chain(["help"]).map(String::from));
    assert_eq!(listed, commands);
}

fn every_command_has_a_page_with_the_usual_sections() {
    let pages = pages();
    let names: Words = pages.iter().map(|(name, _)| name.clone()).collect();
    for command in printed(BROUTER, &["--list"]).lines() {
        let page = match command {
            "ip" | "ipaddr" | "iplink" | "iproute" => String::from("ip-brouter.8"),
            command => [command, ".8"].concat(),
        };
        assert!(names.contains(&page), "{command} has no page");
    }
    for (name, page) in &pages {
        let is_of_a_command = name.ends_with(".8");
        let sections = ["EXAMPLES", "EXIT STATUS", "ENVIRONMENT", "FILES", "BUGS"];
        for section in sections.iter().filter(|_| is_of_a_command) {
            assert!(page.contains(&format!("\n.Sh {section}\n")), "{name} has no {section}");
        }
        assert!(page.contains("\n.Sh SEE ALSO\n"), "{name} has no SEE ALSO");
        for line in page.lines().filter_map(|line| line.strip_prefix(".Xr ")) {
            let mut words = line.split_whitespace();
            let other = [words.next().unwrap(), ".", words.next().unwrap()].concat();
            let is_ours =
                other.contains("brouter") || other.starts_with("network-virtual") || other.starts_with("vif-");
            assert!(!is_ours || names.contains(&other), "{name} refers to {other}");
        }
    }
    let main = file("man/brouter.8");
    for name in names.iter().filter(|name| *name != "brouter.8") {
        let (page, section) = name.rsplit_once('.').unwrap();
        assert!(main.contains(&format!(".Xr {page} {section}")), "brouter(8) does not refer to {page}({section})");
    }
}

fn the_pages_pass_mandoc_lint() {
    let paths = files("man");
    let output = Command::new("mandoc").arg("-Tlint").args(&paths).output().expect("mandoc is needed here");
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    // whether other pages are installed on this machine does not matter
    let faults = said
        .lines()
        .filter(|line| !line.contains("referenced manual not found") && !line.contains("outdated mandoc.db"));
    assert_eq!(faults.collect::<Vec<_>>(), Vec::<&str>::new());
}

fn brouter_compat_is_generated_from_deviations() {
    let made = run(
        &format!("{PROJECT}/compat/original/deviations-to-mdoc"),
        &[&format!("{PROJECT}/compat/original/DEVIATIONS.md")],
    );
    assert!(made.status.success());
    assert!(String::from_utf8(made.stdout).unwrap() == file("man/brouter-compat.7"), "run `make man`");
}

fn the_guides_name_existing_files() {
    for guide in [
        "README.md",
        "compat/README.md",
        "compat/ansible/README.md",
        "compat/install/README.md",
        ".github/CONTRIBUTING.md",
        ".github/SECURITY.md",
        "tests/README.md",
        "compat/docs/HOSTS.md",
        "compat/docs/MIGRATION.md",
    ] {
        let text = file(guide);
        let folder = Path::new(PROJECT).join(guide).parent().unwrap().to_path_buf();
        for link in text.split("](").skip(1).map(|rest| rest.split([')', '#']).next().unwrap()) {
            assert!(link.starts_with("http") || folder.join(link).exists(), "{guide}: {link}");
        }
    }
    for line in file(".github/CONTRIBUTING.md").lines() {
        let path = line.split_whitespace().next().unwrap_or_default();
        let is_path = ["src/", "compat/", "tests/", "man/", ".ci/"].iter().any(|folder| path.starts_with(folder));
        assert!(!is_path || Path::new(PROJECT).join(path).exists(), "CONTRIBUTING: {path}");
    }
}

fn the_tests_that_hold_the_promises_exist() {
    let text = file(".github/SECURITY.md");
    let rows = text.lines().filter(|line| line.contains("| `tests/") || line.contains("| `src/"));
    let mut count = 0;
    for row in rows {
        let held = row.trim_end_matches(" |").rsplit("| `").next().unwrap();
        let (path, name) = held.split_once("`: ").unwrap_or_else(|| panic!("{row}"));
        // a test, or the row of a table: its whole name
        let source = file(path);
        let is_there = ["fn @(", "\"@\"", "mod @;", "    @,", "const @:"]
            .iter()
            .any(|form| source.contains(&form.replace('@', name)));
        assert!(is_there, "SECURITY.md: {path} has no test {name}");
        count += 1;
    }
    assert!(count > 20, "SECURITY.md has lost its tables");
}

fn packages_and_changelogs_have_the_version_of_cargo() {
    const VERSION: &str = env!("CARGO_PKG_VERSION");
    const RUST: &str = env!("CARGO_PKG_RUST_VERSION");
    // the first line of each file that begins like this
    for (path, start, rest) in [
        ("CHANGELOG.md", "## [", format!("{VERSION}] - ")),
        ("compat/debian/changelog", "brouter (", format!("{VERSION}-")),
        ("compat/alpine/APKBUILD", "pkgver=", VERSION.to_owned()),
    ] {
        let text = file(path);
        let line = text.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_default();
        assert!(line.starts_with(&rest), "{path}: {start}{line}");
    }
    for path in ["README.md", ".github/CONTRIBUTING.md", "compat/debian/control"] {
        assert!(file(path).contains(&format!("{RUST} or later")), "{path}: the oldest Rust is {RUST}");
    }
}

/// Returns bash's completions for the last of these words.
fn offered_by_bash(words: &[&str]) -> Words {
    const SCRIPT: &str =
        r#". "$0"; COMP_WORDS=(brouter "$@"); COMP_CWORD=$#; _brouter; printf '%s\n' "${COMPREPLY[@]}""#;
    let completion = format!("{PROJECT}/compat/completion/brouter.bash");
    let folder = Path::new(BROUTER).parent().unwrap().to_str().unwrap();
    let output = Command::new("bash")
        .args(["--norc", "-c", SCRIPT, &completion])
        .args(words)
        .env("PATH", [folder, ":/usr/sbin:/usr/bin:/sbin:/bin"].concat())
        .output()
        .expect("bash is needed here");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let words = String::from_utf8(output.stdout).unwrap();
    words.lines().filter(|word| !word.is_empty()).map(String::from).collect()
}

fn bash_offers_all_commands_and_options() {
    let mut commands = options(&[]);
    commands.extend(printed(BROUTER, &["--list"]).lines().map(String::from));
    commands.extend(OWN_COMMANDS.map(String::from));
    assert_eq!(missing(&commands, &offered_by_bash(&[""])), Vec::<&String>::new());
    for command in OWN_COMMANDS {
        assert_eq!(options(&[command]), offered_by_bash(&[command, "--"]), "{command}");
    }
    let of = |words: &[&str]| offered_by_bash(words).into_iter().collect::<Vec<_>>();
    assert_eq!(of(&["up", "--forw"]), ["--forward-delay"]);
    assert_eq!(of(&["up", "n", "--stp", ""]), ["off", "on"]);
    assert_eq!(of(&["up", "n", "--firewall-backend", ""]), ["iptables", "kernel", "nft"]);
    assert_eq!(of(&["up", "--outside", "l"]), ["lo"]);
    assert_eq!(of(&["offload", ""]), ["off", "on"]);
    assert_eq!(of(&["offload", "off", "lo", "l"]), ["lo"]);
    assert_eq!(of(&["network-virtual", "st"]), ["start", "status", "stop"]);
    assert_eq!(of(&["--install", "/et"]), ["/etc"]);
}

/// Returns the words that zsh on a terminal lists when Tab is pressed twice after a line. Waits until it lists `known`.
fn listed_by_zsh(line: &str, known: &str) -> Words {
    const SCRIPT: &str = r#"
zmodload zsh/zpty
zpty -b shell 'TERM=dumb zsh -f -i'
zpty -w shell "PS1=; stty columns 200 rows 100 -echo; fpath=($1 \$fpath); path=($2 \$path)
    autoload -Uz compinit; compinit -D -u; LISTMAX=0; print rea''dy:"
heard=
hear() {
    local turns part
    for ((turns = 0; turns < 1000; turns++)); do
        if zpty -r -t shell part; then heard+=$part; [[ $heard == *$1* ]] && return; else sleep 0.01; fi
    done
}
hear ready:; heard=
zpty -w -n shell "$3"$'\t\t'
hear $4
sleep 0.2; while zpty -r -t shell part; do heard+=$part; done
print -r -- "$heard"
"#;
    let completion = format!("{PROJECT}/compat/completion");
    let folder = Path::new(BROUTER).parent().unwrap().to_str().unwrap();
    let output = Command::new("zsh").args(["-f", "-c", SCRIPT, "zsh", &completion, folder, line, known]).output();
    let listed = String::from_utf8_lossy(&output.expect("zsh is needed here").stdout).into_owned();
    // a word with its description, or several words per line
    let words = listed.lines().flat_map(|line| line.split(" -- ").next().unwrap().split_whitespace());
    words.map(String::from).collect()
}

fn zsh_offers_all_commands_and_options() {
    let mut commands: Words = printed(BROUTER, &["--list"]).lines().map(String::from).collect();
    commands.extend(OWN_COMMANDS.map(String::from));
    assert_eq!(missing(&commands, &listed_by_zsh("brouter ", "doctor")), Vec::<&String>::new());
    assert_eq!(missing(&options(&[]), &listed_by_zsh("brouter --", "--version")), Vec::<&String>::new());
    for command in OWN_COMMANDS {
        let listed = listed_by_zsh(&format!("brouter {command} --"), "--help");
        assert_eq!(missing(&options(&[command]), &listed), Vec::<&String>::new(), "{command}");
        // zsh also echoes the line itself, with a bell
        let is_option = |word: &String| word.starts_with("--") && !word.contains('\u{7}') && word.len() > 2;
        let listed: Words = listed.into_iter().filter(is_option).collect();
        assert_eq!(missing(&listed, &options(&[command])), Vec::<&String>::new(), "{command}");
    }
}
