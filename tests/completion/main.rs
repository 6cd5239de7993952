//! Tests the completions in bash and zsh on a terminal: a name that others have chosen is inserted so that the shell reads exactly
//! that name, and nothing in it is run.

#[path = "../harness/mod.rs"]
mod harness;

use std::process::ExitCode;

use harness::table::Mode;
use harness::{Test, conclude};

/// A host with a private /etc, and programs that record their calls: a brouter, and one that names may try to run.
const STATE: &str = r#"
mkdir -p /run/etc /run/brouter/1 /run/here
cp -a /etc/. /run/etc 2>/dev/null || :; mount --bind /run/etc /etc; mkdir -p /etc/brouter
stub evilcmd 'echo "$0 $*" >>/run/ran'
"#;

const PRELUDE: &str = r#"
cat >/run/bin/brouter <<'END'
#!/bin/bash
[ "$1" != --list ] || exec printf '%s\n' brctl ip network-virtual vif-bridge
(IFS=$'\n'; printf %s "$*") >/run/args.new; mv /run/args.new /run/args; echo has run
END
chmod +x /run/bin/brouter; PATH=/run/bin:$PATH LC_ALL=C.UTF-8 ip=/sbin/ip; export LC_ALL
cd /run/here
# names that a shell would read as something else
names=('$(evilcmd)' '`evilcmd`' ';evilcmd' 'a;evilcmd' 'a&evilcmd' 'a|evilcmd' '>out' '<in' "it's" "'" "''" 'say"hi"' '"' '\' 'a\b' 'a\' \
    '*' '[a]?' '{a,b}' '~' '~root' '!!' '!evil' 'a!b' 'wow!' '^a^b' '#c' 'a@b' 'a=b' '$HOME' '${x}' "\$'a'" 'plain' 'ü' $'a\u202eb' \
    'a$(evilcmd)`b`' '$((1))' 'a,b' '(a)')
# and those that no interface, but a file can have
files=('two words' ' a' 'a;b $(evilcmd) c' 'a:b' $'a\nb' $'\nevilcmd' $'a\tb' $'a\eb' $'a\001b')
# prints the beginnings of a name: as it is quoted by itself, and with one of the quotes
begins() { local first; printf -v first %q "${1:0:1}"; [[ $first != \$* ]] || first=; printf '%s\n' '' "$first" "'" '"'; }
# expect LINE ARGUMENT...: what type.zsh reads, after the command in $prepare
expect() { (IFS=$'\n'; printf '%s\0' "$prepare" "$1" "${*:2}"); prepare=; }
# asks WORDS NAME: for each beginning of the name
asks() { local begin; while IFS= read -r begin; do expect "brouter $1 $begin"$'\t' $1 "$2"; done < <(begins "$2"); }
prepare=
# the time limit is for a terminal that does not answer: no test takes as long
type_in() { timeout -k 5 60 zsh -f /run/type.zsh $TYPED_IN "$COMPLETION" || echo "type.zsh ended with status $?"; }
"#;

const TESTS: [(&str, &str); 6] = [
    (
        "names of networks",
        r#"
        for name in "${names[@]}" "${files[@]}"; do
            printf -v prepare 'rm -f /etc/brouter/*; : >%q' "/etc/brouter/$name.conf"
            asks status "$name"
        done >/run/asked
        for name in '$(evilcmd)' "it's" '!evil'; do
            printf -v prepare 'rm -f /etc/brouter/* /run/brouter/1/*; : >%q' "/run/brouter/1/$name.network"
            for command in up down doctor; do asks $command "$name"; done
        done >>/run/asked
        type_in </run/asked
        "#,
    ),
    (
        "names of bridges and interfaces",
        r#"
        $ip link set lo name l0
        $ip link add name b0 type bridge
        last=b0
        for name in '$(evilcmd)' '`evilcmd`' 'a;evilcmd' "it's" 'say"hi"' '*' '~' 'a!b' 'a@b' '\' '>out' 'ü'; do
            printf -v prepare '/sbin/ip link set %q name %q' "$last" "$name"; last=$name
            asks status "$name"; asks 'up n --bridge' "$name"
            printf -v first %q "${name:0:1}"
            expect "brouter up n --outside $first"$'\t' up n --outside "$name"
        done >/run/asked
        type_in </run/asked
        "#,
    ),
    (
        "several names with a common beginning",
        r#"
        for name in '$(evilcmd)' '`evilcmd`' "it's" 'a;evilcmd ' '!evil' 'say "' ; do
            printf -v prepare 'rm -f /etc/brouter/*; : >%q; : >%q' "/etc/brouter/${name}"{1,2}.conf
            expect $'brouter status \t2' status "${name}2"
            expect $'brouter status \'\t'"1'" status "${name}1"
        done >/run/asked
        type_in </run/asked
        "#,
    ),
    (
        "names of folders and programs",
        r#"
        mkdir '$(evilcmd)' "it's" 'two words'
        printf '#!/bin/sh\n' >'/run/bin/zz9$(evilcmd)'; chmod +x /run/bin/zz9*
        {
            expect $'brouter --install \\$\t' --install '$(evilcmd)'
            expect $'brouter --install it\t' --install "it's"
            expect $'brouter --install two\t' --install 'two words'
            # zsh's own list of commands leaves such a name out
            [ $TYPED_IN = zsh ] || expect $'brouter up n --firewall zz9\t' up n --firewall 'zz9$(evilcmd)'
        } | type_in
        "#,
    ),
    (
        "ip",
        r#"
        $ip link set lo name l0
        $ip link add name b0 type bridge
        {
            expect $'brouter ip nei\t sho\t de\t b\t' ip neighbour show dev b0
            expect $'brouter ip -de\t li\t sho\t' ip -details link show
            expect $'brouter ip link set b\t ty\t bridge_s\t iso\t of\t' ip link set b0 type bridge_slave isolated off
            expect $'brouter ip link set b0 mas\t b\t' ip link set b0 master b0
            expect $'brouter ip link set b0 type bridge_slave neigh\t o\tn' ip link set b0 type bridge_slave neigh_suppress on
            expect $'brouter ip neigh add 10.0.0.1 lla\t' ip neigh add 10.0.0.1 lladdr
            expect $'brouter ip neigh add 10.0.0.1 nud per\t' ip neigh add 10.0.0.1 nud permanent
            expect $'brouter ip mad\t de\t' ip maddress delete
            expect $'brouter ip maddr add 33:33:0:0:0:5 de\t b\t' ip maddr add 33:33:0:0:0:5 dev b0
            expect $'brouter ip tunn\t ad\t gre1 mo\t gr\t rem\t' ip tunnel add gre1 mode gre remote
            expect $'brouter ip tunnel 6\t dev b\t 6rd-pre\t' ip tunnel 6rd dev b0 6rd-prefix
            expect $'brouter ip tunnel pr\t dev b\t prl-del\t' ip tunnel prl dev b0 prl-delete
            expect $'brouter ip addr sho\t nom\t' ip addr show nomaster
        } | type_in
        "#,
    ),
    (
        "commands, options and their values",
        r#"
        $ip link set lo name l0
        : >/etc/brouter/net.conf
        {
            expect $'brouter sta\t' status
            expect $'brouter netw\t star\t' network-virtual start
            expect $'brouter up --dry\t n\t' up --dry-run net
            expect $'brouter up net --outside l\t' up net --outside l0
            expect $'brouter up net --stp of\t --mas\t' up net --stp off --masquerade
            expect $'brouter doctor ne\t --js\t' doctor net --json
        } | type_in
        "#,
    ),
];

fn main() -> ExitCode {
    let program = include_str!("type.zsh");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/compat/completion");
    let test = |shell: &str, name: &str, script: &str| {
        let setup = format!("cat >/run/type.zsh <<'END'\n{program}\nEND\nCOMPLETION={folder:?} TYPED_IN={shell}\n");
        let script = format!("{setup}{PRELUDE}{script}");
        Test::of_script(format!("{shell}: {name}"), &["zsh", "ip"], STATE, script, Mode::Sys)
    };
    let of_shells = ["bash", "zsh"].into_iter().flat_map(|shell| TESTS.map(|(name, script)| test(shell, name, script)));
    conclude(of_shells.collect())
}
