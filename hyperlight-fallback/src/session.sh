# Session: the driver stays, and the host's commands on standard input are answered one by one.
#
# A command is a line, and the bytes that it announces. Its answer on standard output begins and ends
# with a delimiter that came with the command, so that the program cannot have known it. Between two
# evaluations all processes of the program are stopped: they use no CPU time, and cannot write into
# an answer. The host interrupts an evaluation by SIGUSR1.

# finish CODE: ends the answer to a command.
finish() { printf '%s %s\n' "$delimiter" "$1" >&4; }

# Returns whether all processes of the program are stopped or gone.
all_stopped() {
  local file state
  for file in /proc/[0-9]*/stat; do
    case $file in /proc/1/stat | "/proc/$$/stat") continue ;; esac
    read -r state <"$file" || continue
    [[ ${state##*) } == [tTZX]* ]] || return 1
  done
}

# Stops all processes of the program. A signal takes effect when its process is next scheduled.
stop_all() {
  local ends=$((${EPOCHREALTIME/[.,]/} + 100000))
  kill -STOP -1
  until all_stopped || [ "${EPOCHREALTIME/[.,]/}" -ge $ends ]; do :; done
}

# Sends a signal to the driver and what it started, as a terminal does.
interrupt() { kill -INT -- "-$driver" || kill -INT "$driver"; }

serve() {
  local verb first second third number=0 cell='' DRIVER_PID
  # One that comes too early is lost, and the host repeats it; one that comes too late must not hit
  # the next evaluation.
  evaluating=0
  trap '[ "$evaluating" = 1 ] && interrupt' USR1
  exec 8>&1
  coproc DRIVER {
    exec 6<&0 7>&1 </dev/null >&8 2>&3 3>&- 4>&- 5>&- 8>&-
    # Newer versions of bash start a coprocess like a background job, which no interrupt ends.
    trap - INT QUIT
    # Fails if the engine allows fewer, which is stricter.
    ulimit -n "$open"
    exec setsid "${program[@]}" "${seccomp[@]}" env -i -C /work "${environment[@]}" "${command[@]}"
  }
  driver=$DRIVER_PID requests=${DRIVER[1]} replies=${DRIVER[0]}
  # The driver is ready, or gone.
  code=0
  answer_of_driver 0 "$cpu" || code=125
  if [ "$code" = 0 ]; then stop_all; else kill_all; fi
  report "$((code == 0))"
  finish 0
  while [ "$code" != 125 ] && IFS=' ' read -r verb delimiter first second third; do
    case $verb in
      evaluate) evaluate || exit 0 ;;
      *) file_command ;;
    esac
  done
  exit 0
}

# answer_of_driver NUMBER CPU_SECONDS: waits until the driver has ended an evaluation, and assigns
# its exit code. A program that takes too long is interrupted, and then killed. Fails if the driver is
# gone.
answer_of_driver() {
  local line status pending='' deadline=0 began=$SECONDS
  while :; do
    # A program can write here as well: it only deceives itself, and no more than this is kept.
    IFS= read -r -n 64 -t 0.2 -u "$replies" line
    status=$?
    # The time may be up in the middle of a line.
    line=$pending$line pending=
    if [ $status -eq 0 ]; then
      [[ $line =~ ^([0-9]{1,9})\ ([0-9]{1,3})$ && ${BASH_REMATCH[1]} == "$1" ]] || continue
      code=${BASH_REMATCH[2]}
      return 0
    fi
    [ $status -gt 128 ] || break
    pending=${line:0:64}
    # Should the host not end it.
    [ $((SECONDS - began)) -lt "$seconds" ] || kill -KILL "$driver"
    count_cpu
    [ $((micros - micros_before)) -gt $(($2 * 1000000)) ] || continue
    [ $deadline != 0 ] || deadline=$((SECONDS + 2))
    if [ $SECONDS -lt $deadline ]; then interrupt; else kill -KILL "$driver"; fi
  done
  wait "$driver"
  code=$?
  return 1
}

# `evaluate DELIMITER CONTROL_BYTES ARTIFACTS CPU_SECONDS`, then an archive with the program, its
# name and arguments, and its standard input. Fails if the session is over.
evaluate() {
  local alive=1 arguments
  [ -n "$cell" ] && rm -f -- "/program/$cell"
  head -c "$first" | tar -xf - --no-same-owner -C /program
  mapfile -d '' -t arguments </program/.arguments
  cell=${arguments[0]} artifacts=$second number=$((number + 1))
  : >$completion
  count
  oom_before=$oom processes_before=$processes micros_before=$micros
  kill -CONT -1
  evaluating=1
  request "$number"
  if answer_of_driver "$number" "$third"; then
    evaluating=0
    stop_all
  else
    alive=0
    kill_all
  fi
  report "$alive"
  finish 0
  [ "$alive" = 1 ]
}

# request NUMBER: tells the driver to run the program.
request() {
  if [ "${command[0]}" != bash ]; then
    printf '%s\n' "$1" >&"$requests"
    return
  fi
  # A shell reads commands as from a terminal: an interrupt ends the one that runs, and the next line
  # is read.
  cat >&"$requests" <<END
mapfile -d '' -t glovebox_program </program/.arguments
. "/program/\${glovebox_program[0]}" "\${glovebox_program[@]:1}" </program/.input 7>&-
glovebox_ended $1
END
}

# Commands on files of the workspace: `COMMAND DELIMITER PATH_BYTES ...`, then the path. They run as
# the program's user, who cannot be deceived into more than the program may do itself.
file_command() {
  local path
  path=$(
    head -c "$first"
    printf .
  )
  path=${path%.}
  printf '%s ' "$delimiter" >&4
  # shellcheck disable=SC2016
  if [ "$verb" = put ]; then head -c "$second"; fi |
    "${program[@]}" env -i -C /work PATH="$PATH" LC_ALL=C bash -c '
      command=$1 path=$2
      within() { real=$(realpath "$1" -- "/work/$path") && [[ $real == /work/* || $real == "$2" ]]; }
      case $command in
        put)
          if within -m && [ ! -d "$real" ] && { [ ! -e "$real" ] || [ -f "$real" ]; }; then
            mkdir -p -- "${real%/*}" && cat >"$real"
            status=$(($? ? 3 : 0))
          else
            status=2
          fi
          # What is not written has to be read all the same.
          cat >/dev/null
          exit $status
          ;;
        get)
          within -e || exit 1
          [ -f "$real" ] || exit 2
          stat -c %s -- "$real" || exit 1
          [ "$4" = 0 ] || tail -c "+$(($3 + 1))" -- "$real" | head -c "$4"
          ;;
        list)
          within -e /work || exit 1
          [ -d "$real" ] || exit 2
          find "$real/" -xdev -mindepth 1 -maxdepth 1 -printf "%y %s %f\0"
          ;;
        remove)
          # A link itself, and not what it leads to.
          name=${path##*/} path=${path%"$name"}
          within -e /work || exit 1
          if [ -d "$real/$name" ] && [ ! -L "$real/$name" ]; then
            rmdir -- "$real/$name" || exit 4
          else
            rm -- "$real/$name"
          fi
          ;;
      esac' files "$verb" "$path" "$second" "$third" >&4
  finish "${PIPESTATUS[1]}"
}
