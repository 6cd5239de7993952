# Sourced by tests of the Ansible role: names has the hosts, which are in host_of.

ansible=$here/../../build/ansible/bin/ansible-playbook
python=$(command -v python3)
mkdir "$lab/group_vars" "$lab/tmp"
: >"$lab/ansible.cfg"

# variables LINE...: the variables of the role, as YAML
variables() {
    printf '%s\n' "ansible_python_interpreter: $python" "ansible_remote_tmp: $lab/tmp" "$@" >"$lab/group_vars/all.yml"
}
# play [OPTION...]
play() {
    local said status name
    for name in "${names[@]}"; do echo "$name ansible_host=${host_of[$name]} ansible_connection=host"; done >"$lab/inventory"
    said=$(cd "$lab" && ANSIBLE_CONFIG=$lab/ansible.cfg ANSIBLE_HOME=$lab/home ANSIBLE_ROLES_PATH=$here/../../compat/ansible/roles \
        ANSIBLE_CONNECTION_PLUGINS=$here/fleet/connection_plugins ANSIBLE_NOCOLOR=1 ANSIBLE_PIPELINING=1 LC_ALL=C.UTF-8 \
        "$ansible" -i inventory "$@" "$here/fleet/play.yml" 2>&1 </dev/null)
    status=$?
    echo "$said" | tee -a "$lab/plays"
    return $status
}
# changes WANTED [OPTION...]: plays, and compares the number of changes on each host
changes() {
    local wanted=$1 said
    shift
    said=$(play "$@") || { echo "$said"; return 1; }
    [ "$(grep -c "^[a-z]* *: .*changed=$wanted .*failed=0" <<<"$said")" = ${#names[@]} ] || { echo "$said"; return 1; }
}
