# Bash completion for brouter(8). Install as /usr/share/bash-completion/completions/brouter, or source it.
# Needs neither the package bash-completion nor any other program.

# Prints the networks that have a file or a record and, if given a word, the bridges.
_brouter_networks() {
    local file
    for file in /etc/brouter/*.conf /run/brouter/*/*.network ${1:+/sys/class/net/*/bridge}; do
        [ -e "$file" ] || continue
        file=${file%/bridge} file=${file##*/} file=${file%.conf}
        printf '%s\n' "${file%.network}"
    done
}

_brouter() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} choices=
    if [ "$COMP_CWORD" -eq 1 ]; then
        choices="up down status doctor $(brouter --list 2>/dev/null) --list --install --copy --force --version --help"
    else
        case ${COMP_WORDS[1]},$before in
            up,--bridge | down,--bridge) choices=$(cd /sys/class/net 2>/dev/null && for link in */bridge; do echo "${link%/*}"; done) ;;
            up,--outside | up,--port | down,--outside | down,--port) choices=$(ls /sys/class/net 2>/dev/null) ;;
            up,--stp | down,--stp) choices="on off" ;;
            up,--firewall-backend | down,--firewall-backend) choices="kernel iptables nft" ;;
            up,--address | up,--forward-delay | up,--mtu | up,--publish) ;;
            down,--address | down,--forward-delay | down,--mtu | down,--publish) ;;
            up,--firewall | down,--firewall) mapfile -t COMPREPLY < <(compgen -c -- "$word"); return ;;
            up,* | down,*)
                case $word in
                    -*) choices="--bridge --address --outside --masquerade --antispoof --stp --forward-delay --port --mtu
                        --firewall --publish --firewall-backend --dry-run --help" ;;
                    *) choices=$(_brouter_networks) ;;
                esac ;;
            status,--watch) ;;
            status,*)
                case $word in
                    -*) choices="--json --dot --watch --help" ;;
                    *) choices=$(_brouter_networks bridges) ;;
                esac ;;
            doctor,*)
                case $word in
                    -*) choices="--json --help" ;;
                    *) choices=$(_brouter_networks bridges) ;;
                esac ;;
            --install,--install) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
            --install,*) choices="--copy --force" ;;
            network-virtual,*) choices="start stop status" ;;
            *) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word" | sort -u)
}

complete -F _brouter brouter
