# Calls between a shell candidate and its tests, which are two programs in two jails: the calls socket is descriptor 0,
# moved to 9 so that functions find an empty input. Everything ends with a NUL. A request is the number of arguments,
# the name and the arguments; a reply is the exit status and the output.
exec 9<&0 0</dev/null

wire_call() {
    : >/tmp/called
    printf '%s\0' "$#" "$@" >&9
    IFS= read -r -d '' wire_status <&9 && IFS= read -r -d '' wire_output <&9 || exit 70
    [[ $wire_status =~ ^[0-9]{1,3}$ ]] || exit 70
    printf '%s' "$wire_output"
    return "$wire_status"
}

wire_serve() {
    printf + >&9
    while IFS= read -r -d '' wire_count <&9; do
        wire_words=()
        while ((${#wire_words[@]} < wire_count)); do
            IFS= read -r -d '' wire_word <&9
            wire_words+=("$wire_word")
        done
        wire_output=$("${wire_words[@]}" 9<&-; wire_status=$?; printf x; exit "$wire_status")
        printf '%s\0' "$?" "${wire_output%x}" >&9
    done
}
