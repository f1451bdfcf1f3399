"""Shell functions for snippets that run several children at the same time and read their output."""

# Each child writes into a pipe of its own, first its process ID: lines do not mix, and a child that hangs can be ended.
CHILDREN = """
local fds=() targets=() fd
gather() {
  local i text got left end=$((SECONDS + $1 + 1))
  for i in "${!fds[@]}"; do
    left=$((end - SECONDS)); [ "$left" -gt 0 ] || left=0.01
    IFS= read -r -d '' -t "$left" text <&"${fds[i]}"; got=$?
    if [ "$got" -ne 1 ]; then kill -9 "${text%%[!0-9]*}"; text+=' (silent)'; fi
    "$2" "${targets[i]}" "${text#* }"
    fd=${fds[i]}; exec {fd}<&-
  done
  fds=() targets=()
}
print_line() { printf '%s %s\\n' "$1" "${2//$'\\n'/ }"; }
"""
"""`gather SECONDS FUNCTION` waits for all children in `fds`, and calls the function with the name and the output of
each. `targets`: the names of the children. The output of a child that did not end in time ends with `(silent)`."""
