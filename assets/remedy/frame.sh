umask 077
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin:/usr/local/sbin"

# --- what steps call

save() { # PATH...: keep a copy of each in $folder/before, once; a path that is not there is noted as absent
  local path
  for path; do
    if [ ! -e "$path" ] && [ ! -L "$path" ]; then
      case $path in *\**) continue ;; esac
    fi
    ! grep -qxF -- "$path" "$folder/touched" || continue
    if [ -e "$path" ] || [ -L "$path" ]; then
      mkdir -p "$folder/before${path%/*}"
      cp -a -- "$path" "$folder/before$path"
    fi
    printf '%s\n' "$path" >>"$folder/touched"
  done
}

add_lines() { # FILE LINE...: each line that is not there yet, at the end
  local file=$1 line
  shift
  if [ -s "$file" ] && [ -n "$(tail -c 1 "$file")" ]; then echo >>"$file"; fi
  for line; do grep -qsxF -- "$line" "$file" || printf '%s\n' "$line" >>"$file"; done
}

boot_parameter() { # KEY=VALUE: on the kernel's command line from the next boot on, and no other value of that key
  local file key=${1%%=*} made=
  key=${key//./\\.}
  for file in /etc/default/grub /etc/default/grub.d/*.cfg; do
    [ ! -f "$file" ] || sed -i -E "/^[[:space:]]*GRUB_CMDLINE_LINUX/s/(^|[[:space:]\"'=])$key=[^[:space:]\"']*[[:space:]]?/\1/g" "$file"
  done
  file=/etc/default/grub
  if [ -f "$file" ]; then
    sed -i -E "s/^GRUB_CMDLINE_LINUX=([^\"']*)\$/GRUB_CMDLINE_LINUX=\"\1\"/" "$file"
    grep -q '^GRUB_CMDLINE_LINUX=' "$file" || add_lines "$file" 'GRUB_CMDLINE_LINUX=""'
    sed -i -E "s/^(GRUB_CMDLINE_LINUX=[\"'])/\1$1 /; s/^(GRUB_CMDLINE_LINUX=.*) ([\"'])\$/\1\2/" "$file"
  fi
  if command -v grubby >/dev/null; then
    grubby --update-kernel=ALL --args="$1"
  elif command -v update-grub >/dev/null; then
    update-grub
  else
    for file in /boot/grub2/grub.cfg /boot/efi/EFI/*/grub.cfg; do
      if [ -f "$file" ]; then grub2-mkconfig -o "$file" && made=1; fi
    done
    [ -n "$made" ] || { echo "no boot loader's configuration was found"; return 1; }
  fi
}

use_resolved_servers() { # FILE: the servers behind systemd's stub instead of the stub
  local real=/run/systemd/resolve/resolv.conf
  if ! grep -qE '^nameserver[[:space:]]' "$real" || grep -qE '^nameserver[[:space:]]+(127|172)\.' "$real"; then
    echo "$real names no server that could be used instead"
    return 1
  fi
  ln -sfn "$real" "$1"
}

move_away() { # PATH: into $folder/moved
  if [ ! -e "$1" ] && [ ! -L "$1" ]; then return 0; fi
  mkdir -p "$folder/moved${1%/*}"
  mv -n -T -- "$1" "$folder/moved$1"
}

not_running() { # NAME...: fail while a process of that name runs
  local file name
  for file in /proc/[0-9]*/comm; do
    { read -r name <"$file"; } 2>/dev/null || continue
    case " $* " in *" $name "*) echo "$name is running"; return 1 ;; esac
  done
}

remove_folders() { # PATH...: with all that is in them, but nothing that is mounted below; a mount point is emptied
  local path place
  for path; do
    path=${path%/}
    while read -r _ place _; do
      case $place in "$path"/*) echo "$place is mounted: unmount it first"; return 1 ;; esac
    done </proc/mounts
    if mountpoint -q "$path"; then
      find "$path" -xdev -mindepth 1 -delete
    else
      rm -rf --one-file-system -- "$path"
    fi
  done
}

# --- how they are run and taken back

state() { # PATH: what is there now, in one line
  if [ -L "$1" ]; then echo "link $(readlink "$1")"
  elif [ -f "$1" ]; then echo "file $(cksum <"$1")"
  elif [ -e "$1" ]; then echo other
  else echo absent
  fi
}

note_states() { # how the steps left their files: what is changed after that, undo leaves alone
  local path
  while IFS= read -r path; do printf '%s %s\n' "$path" "$(state "$path")"; done <"$folder/touched" >"$folder/left.new"
  mv -f "$folder/left.new" "$folder/left"
}

put_back() { # PATH
  local copy=$folder/before$1
  if ! grep -qxF -- "$1 $(state "$1")" "$folder/left"; then
    echo "$1 has changed since and is left as it is; how it was before: $copy"
    return 1
  fi
  if [ -e "$copy" ] || [ -L "$copy" ]; then
    cp -a -- "$copy" "$1.acp-tui" && mv -f -- "$1.acp-tui" "$1"
  else
    rm -f -- "$1"
  fi
}

undo_all() {
  local path name status=0
  while IFS= read -r path; do put_back "$path" || status=1; done < <(tac "$folder/touched")
  while read -r name; do
    if declare -F "undo_$name" >/dev/null; then "undo_$name" || status=1; fi
  done < <(tac "$folder/begun")
  if [ -n "$sshd_file" ]; then reload_sshd || status=1; fi
  if [ "$status" -eq 0 ]; then : >"$folder/touched"; : >"$folder/begun"; fi
  return $status
}

write_undo() {
  {
    printf '#!/bin/bash\n# Puts back what acp-tui fix changed on this node. Files that have changed since are left alone.\n'
    printf 'export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin:/usr/local/sbin"\nfolder=%q\nsshd_file=%q\n' "$folder" "$sshd_file"
    declare -f state put_back reload_sshd undo_all
    for name in $steps; do declare -f "undo_$name"; done
    echo undo_all
  } >"$folder/undo.sh"
}

tell() { # NAME STATUS: the end of the step's log, between marks
  printf '%s %s\n' "$marker" "$1"
  tail -c 20000 "$folder/$1.log"
  printf '\n%s %s %s\n' "$marker" "$1" "$2"
}

run_step() { # NAME: its commands until one fails; that does not keep the other steps from running
  local status
  grep -qxF "$1" "$folder/begun" || printf '%s\n' "$1" >>"$folder/begun"
  (
    set -eu
    umask 022
    "do_$1"
  ) >"$folder/$1.log" 2>&1 </dev/null
  status=$?
  note_states
  tell "$1" "$status"
}

reload_sshd() { # by either of its names; what systemctl says is told only when neither works
  local first second
  first=$(systemctl reload sshd 2>&1) || second=$(systemctl reload ssh 2>&1) ||
    { printf '%s\n' "$first" "$second" >&2; return 1; }
}

guard_login() { # put the settings back unless $folder/keep appears in time, and at once when $folder/back does
  local waited=0
  while [ "$waited" -lt "$patience" ] && [ ! -e "$folder/keep" ] && [ ! -e "$folder/back" ]; do
    sleep 1
    waited=$((waited + 1))
  done
  if [ -e "$folder/keep" ]; then : >"$folder/kept"; return; fi
  put_back "$sshd_file"
  reload_sshd
  : >"$folder/restored"
}

try_login() { # reload sshd with its new settings, guarded
  if ! sshd -t; then
    put_back "$sshd_file"
    return 1
  fi
  rm -f "$folder/keep" "$folder/back" "$folder/kept" "$folder/restored"
  (trap '' HUP TERM PIPE; guard_login) </dev/null >/dev/null 2>&1 &
  reload_sshd
  sleep 2 # sshd starts itself anew; another signal in that moment would kill it
  echo "Try a second login now, within $patience seconds, and if it works: touch $folder/keep"
}

main() {
  local name status
  if [ "$EUID" -ne 0 ]; then echo "this has to run as root" >&2; exit 1; fi
  trap '' HUP PIPE # a connection that breaks does not stop a step halfway
  if ! mkdir -p "$folder" || ! touch "$folder/touched" "$folder/begun" || ! write_undo; then
    echo "no copies can be kept in $folder, so nothing is changed" >&2
    exit 1
  fi
  for name in $steps; do run_step "$name"; done
  if [ -n "$sshd_file" ]; then
    if cmp -s "$folder/before$sshd_file" "$sshd_file"; then
      echo "nothing has changed" >"$folder/second_login.log"
      status=3
    else
      (try_login) >"$folder/second_login.log" 2>&1 # a subshell: the guard must not hold this channel open
      status=$?
    fi
    tell second_login "$status"
  fi
}
