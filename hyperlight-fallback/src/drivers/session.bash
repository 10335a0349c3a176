# Start of a session's shell. It is interactive, so that an interrupt and an error end the command
# that runs, and not the shell; what else interactive shells do is off.
exec 2>&9 9>&-
set +o history +H
shopt -u checkwinsize expand_aliases
unset HISTFILE PS1 PS2 MAILCHECK

# Ends the program as in a script, by way of an interrupt: the session lives on. A subshell ends.
exit() {
  local code=${1-$?}
  [ "$BASHPID" = "$$" ] || builtin exit "$code"
  [[ $code =~ ^-?[0-9]+$ ]] || code=2
  glovebox_code=$((code & 255))
  trap - INT
  # The shell answers an interrupt by a line break.
  exec 9>&2 2>/dev/null
  kill -INT "$$"
}

# With `set -e`, a command that fails ends the program likewise.
glovebox_failed() {
  [[ $- == *e* ]] && exit "$1"
  return "$1"
}
set -E
trap 'glovebox_failed $?' ERR

# Called after a program: reports its exit code.
glovebox_ended() {
  local code=${glovebox_code-$?}
  [ -z "${glovebox_code+set}" ] || exec 2>&9 9>&-
  unset glovebox_code
  printf '%s %s\n' "$1" "$code" >&7
}
glovebox_ended 0
