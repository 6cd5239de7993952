# type.zsh SHELL FOLDER
#
# Types command lines into a SHELL (bash or zsh) on a terminal, which has the completions in FOLDER, and presses Tab. Reads three
# texts at a time from standard input, each ended by a zero byte: a command that prepares the host, a line to type, with its tabs,
# and the arguments that brouter must get then, each behind a newline unless it is the first. Prints what is different.

zmodload zsh/zpty
setopt null_glob
shell=$1 folder=$2 heard=

# Waits until the shell has written what fits a pattern. Longer than any shell takes, so that only a failure waits so long.
hear() {
    local end=$((SECONDS + 15)) part
    while ((SECONDS < end)); do
        if zpty -r -t shell part; then heard+=$part; [[ $heard == *$~1* ]] && return; else sleep 0.01; fi
    done
    return 1
}

begin() {
    local setup
    case $shell in
        bash) zpty -b shell 'TERM=dumb bash --norc -i'
            setup=". $folder/brouter.bash" ;;
        zsh) zpty -b shell 'TERM=dumb zsh -f -i'
            # a tab with keys behind it is to complete all the same
            setup="fpath=($folder \$fpath); autoload -Uz compinit; compinit -D -u; zstyle ':completion:*' insert-tab false
                LISTMAX=0; setopt BANG_HIST" ;;
    esac
    heard=
    zpty -w shell "stty columns 200 rows 100; $setup; PS1='rea''dy> ' PS2="
    hear 'ready> ' || { print -r -- "$shell does not start: ${(V)heard}"; exit 1; }
}

begin
while IFS= read -r -d '' prepare && IFS= read -r -d '' line && IFS= read -r -d '' wanted; do
    rm -f /run/args
    eval "$prepare"
    heard=
    zpty -w -n shell "$line"$'\n'
    # brouter's stand-in says so
    if hear 'has run*ready> '; then
        args=$(</run/args)
        [[ $args == "$wanted" ]] || print -r -- "$shell: ${(V)line} becomes ${(V)args}, not ${(V)wanted}"
    else
        print -r -- "$shell: ${(V)line} runs nothing: ${(V)heard[-300,-1]}"
        zpty -d shell
        begin
    fi
    if [[ -e /run/ran ]]; then
        print -r -- "$shell: ${(V)line} runs ${(V)$(</run/ran)}"
        rm /run/ran
    fi
done
