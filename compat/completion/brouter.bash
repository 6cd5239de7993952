# Bash completion for brouter(8). Install as /usr/share/bash-completion/completions/brouter, or source it.
# Needs neither the package bash-completion nor any other program.
#
# The names of networks and interfaces are chosen by others, xenstore among them. They are compared and inserted as they are, in
# quotes: nothing expands them, as `compgen -W` would.

# Splits a line as the shell does, and expands nothing. Sets `words`, without quotes; `raw`, the last of them as it was typed; and
# `quote`, the quote that is open at the end.
_brouter_split() {
    local line=$1 word= c
    words=() raw= quote=
    while [ -n "$line" ]; do
        c=${line:0:1} line=${line:1}
        raw+=$c
        case $quote$c in
            ' ' | $'\t') [ "$raw" = "$c" ] || words+=("$word"); word= raw= ;;
            \'\' | '""') quote= ;;
            \' | '"') quote=$c ;;
            \\)
                word+=${line:0:1} raw+=${line:0:1} line=${line:1} ;;
            '"\')
                [[ ${line:0:1} == [\$\`\"\\] ]] || word+=$c
                word+=${line:0:1} raw+=${line:0:1} line=${line:1} ;;
            *) word+=$c ;;
        esac
    done
    words+=("$word")
}

# Adds to COMPREPLY those of the words that begin with `current`, which is typed as `raw`. Readline replaces `text`, the end of
# that: what is behind an open quote, or behind a character of COMP_WORDBREAKS.
_brouter_offer() {
    local words quote known word rest raw=$raw
    [[ $raw == *"$text" ]] || return
    _brouter_split "${raw%"$text"}"
    known=${words[0]}
    for word; do
        [[ $word == "$current"* && $word == "$known"* ]] || continue
        rest=${word#"$known"}
        case $quote in
            \') rest=${rest//\'/\'\\\'\'} ;;
            '"') rest=${rest//\\/\\\\} rest=${rest//\"/\\\"} rest=${rest//\$/\\\$} rest=${rest//\`/\\\`} rest=${rest//\!/\"\\\!\"} ;;
            *) [ -z "$rest" ] || printf -v rest %q "$rest" ;;
        esac
        # readline takes a quote at the begin for the open one, and one at the end for the one that closes it
        if [ -n "$quote" ]; then
            [[ $rest != "$quote"* ]] || rest=$quote$rest
            [[ $rest != *"$quote" ]] || rest+=$quote
        fi
        COMPREPLY+=("$rest")
    done
}

# Offers the networks that have a file or a record and, if given a word, the bridges.
_brouter_networks() {
    local file names=()
    for file in /etc/brouter/*.conf /run/brouter/*/*.network ${1:+/sys/class/net/*/bridge}; do
        [ -e "$file" ] || continue
        file=${file%/bridge} file=${file##*/} file=${file%.conf}
        names+=("${file%.network}")
    done
    _brouter_offer "${names[@]}"
}

# Offers interfaces or, if given a word, bridges.
_brouter_interfaces() {
    local file names=()
    for file in /sys/class/net/*${1:+/bridge}; do
        [ ! -e "$file" ] || file=${file%/bridge} names+=("${file##*/}")
    done
    _brouter_offer "${names[@]}"
}

# Offers what may follow in a command of ip(8).
_brouter_ip() {
    local word given=() slave=
    for word in "${words[@]:2:count-3}"; do
        [[ ${given[*]} || $word != -* ]] && given+=("$word")
        [[ $word != bridge_slave ]] || slave=yes
    done
    case $before in
        dev | oif | name) _brouter_interfaces; return ;;
        master) _brouter_interfaces bridges; return ;;
        nud) _brouter_offer permanent stale; return ;;
        mode) _brouter_offer gre ipip sit isatap vti tap tun; return ;;
        type) _brouter_offer bridge bridge_slave; return ;;
        hairpin | guard | root_block | fastleave | learning | *flood | mcast_to_unicast | proxy_arp* | neigh_suppress | isolated)
            _brouter_offer on off; return ;;
    esac
    case ${given[0]-},${given[1]-} in
        ,) case $current in
            -*) _brouter_offer -4 -6 -0 -brief -color -details -family -json -oneline -pretty -statistics -Numeric -Version ;;
            *) _brouter_offer address link maddress neighbour route tunnel tuntap ;;
            esac ;;
        a*,) _brouter_offer add change replace delete flush show ;;
        l*,) _brouter_offer add delete set show ;;
        m*,) _brouter_offer add delete show ;;
        n*,) _brouter_offer add change replace delete flush get show ;;
        r*,) _brouter_offer add append change prepend replace delete flush get show ;;
        tunt*,) _brouter_offer add delete show ;;
        t*,) _brouter_offer add change delete show 6rd prl ;;
        a*,[sf]*) _brouter_offer dev label scope to up permanent primary secondary group master nomaster type ;;
        a*) _brouter_offer dev broadcast label peer scope ;;
        l*,set)
            if [ -n "$slave" ]; then
                _brouter_offer cost priority hairpin guard root_block fastleave learning flood mcast_flood bcast_flood \
                     mcast_to_unicast mcast_router proxy_arp proxy_arp_wifi neigh_suppress isolated group_fwd_mask backup_port
            elif [ "${#given[@]}" = 2 ]; then
                _brouter_interfaces
            else
                _brouter_offer up down address alias allmulticast arp group master mtu multicast name nomaster promisc txqueuelen type
            fi ;;
        l*,s*) _brouter_offer dev up group master nomaster type ;;
        l*) _brouter_offer name dev type address mtu ;;
        n*,[sf]*) _brouter_offer dev to nud proxy master nomaster ;;
        n*) _brouter_offer dev lladdr nud proxy ;;
        m*) _brouter_offer dev ;;
        r*) _brouter_offer default dev via src metric scope proto table ;;
        tunt*) _brouter_offer dev mode user group ;;
        t*,6*) _brouter_offer dev 6rd-prefix 6rd-relay_prefix 6rd-reset ;;
        t*,p*) _brouter_offer dev prl-default prl-nodefault prl-delete ;;
        t*) _brouter_offer name mode remote local dev ttl tos key ikey okey csum icsum ocsum seq iseq oseq pmtudisc nopmtudisc ;;
    esac
}

_brouter() {
    local line=${COMP_LINE-${COMP_WORDS[*]}}
    local words raw quote
    _brouter_split "${line:0:${COMP_POINT-${#line}}}"
    local count=${#words[@]}
    local current=${words[count - 1]} before=${words[count - 2]-} text=${2-$raw} names
    COMPREPLY=()
    if [ "$count" -le 2 ]; then
        mapfile -t names < <(brouter --list 2>/dev/null)
        _brouter_offer up down ls status doctor offload help version "${names[@]}" --list --install --copy --force --version --help
        return
    fi
    case ${words[1]},$before in
        up,--bridge | down,--bridge) _brouter_interfaces bridges ;;
        up,--outside | up,--port | up,--tunnel | down,--outside | down,--port | down,--tunnel) _brouter_interfaces ;;
        up,--stp | down,--stp) _brouter_offer on off ;;
        up,--firewall-backend | down,--firewall-backend) _brouter_offer kernel iptables nft ;;
        up,--mac | up,--address | up,--forward-delay | up,--mtu | up,--publish) ;;
        down,--mac | down,--address | down,--forward-delay | down,--mtu | down,--publish) ;;
        up,--firewall | down,--firewall) mapfile -t names < <(compgen -c -- "$current"); _brouter_offer "${names[@]}" ;;
        up,* | down,*)
            case $current in
                -*) _brouter_offer --bridge --mac --address --outside --masquerade --antispoof --isolate --stp --forward-delay --port --tunnel \
                    --mtu --firewall --publish --firewall-backend --force --dry-run --help ;;
                *) _brouter_networks ;;
            esac ;;
        ls,*) _brouter_offer --quiet --help ;;
        help,*)
            mapfile -t names < <(brouter --list 2>/dev/null)
            _brouter_offer up down ls status doctor offload "${names[@]}" ;;
        status,--watch) ;;
        status,*)
            case $current in
                -*) _brouter_offer --json --dot --prometheus --watch --help ;;
                *) _brouter_networks bridges ;;
            esac ;;
        doctor,*)
            case $current in
                -*) _brouter_offer --all --json --help ;;
                *) _brouter_networks bridges ;;
            esac ;;
        offload,offload)
            case $current in
                -*) _brouter_offer --help ;;
                *) _brouter_offer on off ;;
            esac ;;
        offload,*)
            case $current in
                -*) _brouter_offer --help ;;
                *) _brouter_interfaces ;;
            esac ;;
        --install,--install) mapfile -t names < <(compgen -d -- "$current"); _brouter_offer "${names[@]}" ;;
        --install,*) _brouter_offer --copy --force ;;
        ip,*) _brouter_ip ;;
        network-virtual,* | network-bridge,* | network-route,* | network-nat,*) _brouter_offer start stop status ;;
        # the shell's own completion of file names
        *) compopt -o bashdefault -o default ;;
    esac
}

complete -F _brouter brouter
