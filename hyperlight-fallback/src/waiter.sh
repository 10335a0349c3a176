# The main process of every container: idle until a job comes on standard input, then it runs the job and tells on standard output how it went.
#
#     bash -c WAITER waiter PROGRAM_USER RELAY_USER
#
# It is root with nothing but the capabilities to change users and to end processes. Programs run as PROGRAM_USER without any, so the kernel
# keeps them out of this process: its memory, where the mark is, its streams, and its life. What it tells is the kernel's own account.
as() { unprivileged=(setpriv --reuid="$1" --regid="$1" --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs --); }
as "$2"; relay=("${unprivileged[@]}")
as "$1"; program=("${unprivileged[@]}")
# The program has the streams as they came. These are openings of our own, which it cannot make non-blocking.
exec 3>&2 2>/dev/null
exec 4>/proc/self/fd/1 || exec 4>&1
exec 5>/proc/self/fd/3 || exec 5>&3
# So that the program can open /dev/stdin, /dev/stdout and /dev/stderr.
chmod 0666 /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/3
# Where a driver tells of the program's value or exception; the folder is ours, so it stays this file.
told=/program/.completion
umask 0
: >$told
umask 022
IFS=' ' read -r mark control files seconds cpu open artifacts most port prctl filter || exit 0
head -c "$control" | tar -xf - --no-same-owner -C /program || exit 125
if [ "$files" -gt 0 ]; then
  head -c "$files" | "${program[@]}" tar -xf - -C /work
  # The files that were sent do not fit.
  if [ "${PIPESTATUS[1]}" -ne 0 ]; then
    printf '%s ' "$mark" >&5
    printf '%s 1 0 0 0 0 %s 0\n' "$mark" "$(stat -f -c '%a %d' /work)" >&4
    exit 0
  fi
fi
mapfile -d '' -t environment </program/.environment
mapfile -d '' -t command </program/.command
# The only way out, where there is one: a socket behind a port of the container's own loopback. The program cannot touch the relay either.
if [ "$port" -gt 0 ]; then
  "${relay[@]}" socat "TCP4-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork,max-children=32" UNIX-CONNECT:/run/glovebox/egress \
    </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- &
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    (: <"/dev/tcp/127.0.0.1/$port") && break
    sleep 0.02
  done
fi
# A filter of system calls for the program alone, where the relay needs more than the program may: PR_SET_SECCOMP, SECCOMP_MODE_FILTER.
sealed=()
if [ "$prctl" -gt 0 ]; then
  # shellcheck disable=SC2016
  sealed=(perl -e '
    my $filter = pack("H*", shift);
    my $prctl = 0 + shift;
    my $argument = pack("S x6 P", length($filter) / 8, $filter);
    syscall($prctl, 22, 2, $argument) == 0 or exit 125;
    exec { $ARGV[0] } @ARGV;
    exit 127' "$filter" "$prctl")
fi
(
  ulimit -t "$cpu" || exit 125
  # The engine may allow fewer, which is narrower still.
  ulimit -n "$open"
  # The clock is ours too: the program can neither stop nor end it.
  exec timeout -s KILL "$seconds" "${program[@]}" "${sealed[@]}" env -i -C /work "${environment[@]}" "${command[@]}" 2>&3 3>&- 4>&- 5>&-
)
code=$?
# Everybody but us, at once: nobody gets a new process past the kernel while it goes through the list. And then nobody is there any more.
kill -9 -1
ends=$((SECONDS + 2))
while kill -0 -1 && [ $SECONDS -lt $ends ]; do :; done
# The other stream ends here.
printf '%s ' "$mark" >&5
# NAME KEY FILE...: the number behind the key, or the only one where the key is empty, in the first file that has it.
fact() {
  local -n into=$1
  local key value file
  into=0
  for file in "${@:3}"; do
    [ -r "$file" ] || continue
    while read -r key value; do
      [ -n "$2" ] || value=$key key=
      [[ $key == "$2" && $value =~ ^[0-9]+$ ]] && into=$value && return
    done <"$file"
  done
}
here=/sys/fs/cgroup
fact oom oom_kill $here/memory.events $here/memory/memory.oom_control
fact processes max $here/pids.events $here/pids/pids.events
fact micros usage_usec $here/cpu.stat
fact nanos '' $here/cpuacct/cpuacct.usage
[ "$nanos" -gt 0 ] && micros=$((nanos / 1000))
fact peak '' $here/memory.peak $here/memory/memory.max_usage_in_bytes
read -r blocks inodes <<<"$(stat -f -c '%a %d' /work)"
size=0
[ -s $told ] && size=$(stat -c %s $told)
[ "${size:=0}" -le "$most" ] || size=0
printf '%s %s %s %s %s %s %s %s %s\n' "$mark" "$code" "$oom" "$processes" "$micros" "$peak" "$blocks" "$inodes" "$size" >&4
[ "$size" -gt 0 ] && head -c "$size" $told >&4
# By the program's own user: we may not read what it keeps to itself, and nobody else is left who could interfere.
if [ "$artifacts" = 1 ]; then "${program[@]}" tar -cf - -C /work --sort=name . >&4; fi
exit 0
