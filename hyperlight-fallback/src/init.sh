# Init script, the main process of every container: idle until a job comes on standard input, then
# it runs the job and reports on standard output how it ended. The job of a session starts a driver
# that stays, and commands follow it (see `serve`).
#
#     bash -c SCRIPT init PROGRAM_USER RELAY_USER
#
# It is root with nothing but the capabilities to change users and to kill processes. Programs run
# as PROGRAM_USER without any, so the kernel keeps them out of this process: its memory, which holds
# the delimiter, its streams, and its life. The figures that it reports are the kernel's own.
as() {
  unprivileged=(setpriv --reuid="$1" --regid="$1" --clear-groups
    --inh-caps=-all --bounding-set=-all --no-new-privs --)
}
as "$2"; relay=("${unprivileged[@]}")
as "$1"; program=("${unprivileged[@]}")
# The program gets the original streams. These are separate open file descriptions, which it cannot
# make non-blocking.
exec 3>&2 2>/dev/null
exec 4>/proc/self/fd/1 || exec 4>&1
exec 5>/proc/self/fd/3 || exec 5>&3
# So that the program can open /dev/stdin, /dev/stdout and /dev/stderr.
chmod 0666 /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/3
# A driver writes the program's value or exception here. The folder belongs to root, so the program
# cannot replace the file.
completion=/program/.completion
umask 0
: >$completion
umask 022
IFS=' ' read -r mode delimiter control files seconds cpu open artifacts max_completion port prctl filter ||
  exit 0
head -c "$control" | tar -xf - --no-same-owner -C /program || exit 125
# The engine opened the granted directories by their paths, which may have changed since they were
# checked. Their numbers can be compared where the container has the same kernel.
# This process cannot look into the folders of the program, nor the program into those of others:
# a mount that neither reaches is out of reach.
identity() { stat -c %d:%i -- "$1" || "${program[@]}" stat -c %d:%i -- "$1"; }
if [ -e /program/.mounts ]; then
  mapfile -d '' -t mounts </program/.mounts
  read -r boot </proc/sys/kernel/random/boot_id
  for ((i = 1; i < ${#mounts[@]}; i += 2)); do
    [ "$boot" = "${mounts[0]}" ] || break
    found=$(identity "${mounts[i + 1]}") || continue
    [ "$found" = "${mounts[i]}" ] && continue
    printf '%s ' "$delimiter" >&5
    printf '%s %s 0 0 0 0 1 1 0 0\n' "$delimiter" "$((256 + i / 2))" >&4
    exit 0
  done
fi
if [ "$files" -gt 0 ]; then
  head -c "$files" | "${program[@]}" tar -xf - -C /work
  # The files do not fit into the workspace.
  if [ "${PIPESTATUS[1]}" -ne 0 ]; then
    printf '%s ' "$delimiter" >&5
    printf '%s 1 0 0 0 0 %s 0 0\n' "$delimiter" "$(stat -f -c '%a %d' /work)" >&4
    exit 0
  fi
fi
mapfile -d '' -t environment </program/.environment
mapfile -d '' -t command </program/.command
# The egress relay, if granted: it forwards a port of the container's loopback to the egress socket.
# It has a user of its own, so the program cannot signal it.
if [ "$port" -gt 0 ]; then
  "${relay[@]}" socat \
    "TCP4-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork,max-children=32" \
    UNIX-CONNECT:/run/glovebox/egress \
    </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- &
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    (: <"/dev/tcp/127.0.0.1/$port") && break
    sleep 0.02
  done
fi
# A seccomp filter for the program alone, where the relay needs sockets that the program must not
# create: PR_SET_SECCOMP, SECCOMP_MODE_FILTER.
seccomp=()
if [ "$prctl" -gt 0 ]; then
  # shellcheck disable=SC2016
  seccomp=(perl -e '
    my $filter = pack("H*", shift);
    my $prctl = 0 + shift;
    my $argument = pack("S x6 P", length($filter) / 8, $filter);
    syscall($prctl, 22, 2, $argument) == 0 or exit 125;
    exec { $ARGV[0] } @ARGV;
    exit 127' "$filter" "$prctl")
fi
[ "$mode" = session ] && serve
# The host ends a program that reached a limit of its own, and takes the report all the same. The trap
# runs at once, because this process waits for the program in the background.
trap kill_all USR1
(
  # A background job of a script ignores these.
  trap - INT QUIT
  ulimit -t "$cpu" || exit 125
  # Fails if the engine allows fewer, which is stricter.
  ulimit -n "$open"
  # `timeout` runs as root too: the program can neither stop nor kill it.
  exec timeout -s KILL "$seconds" \
    "${program[@]}" "${seccomp[@]}" env -i -C /work "${environment[@]}" "${command[@]}" \
    2>&3 3>&- 4>&- 5>&-
) <&0 &
wait "$!"
code=$?
kill_all
report 0
exit 0
