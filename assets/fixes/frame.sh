umask 077
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin:/usr/local/sbin"

# --- functions that the steps call

save() { # PATH...: back up each path in $folder/before, if it exists; list it in $folder/touched; do this only once
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

add_lines() { # FILE LINE...: append each missing line to FILE
  local file=$1 line
  shift
  if [ -s "$file" ] && [ -n "$(tail -c 1 "$file")" ]; then echo >>"$file"; fi
  for line; do grep -qsxF -- "$line" "$file" || printf '%s\n' "$line" >>"$file"; done
}

boot_parameter() { # KEY=VALUE: set KEY on the kernel command line of the next boot; remove other values of KEY
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
    [ -n "$made" ] || { echo "The kernel parameter $1 was not set: no boot loader configuration was found. Set it yourself."; return 1; }
  fi
}

use_resolved_servers() { # FILE: replace it with a link to the file in which systemd-resolved lists the real name servers
  local real=/run/systemd/resolve/resolv.conf
  if ! grep -qE '^nameserver[[:space:]]' "$real" || grep -qE '^nameserver[[:space:]]+(127|172)\.' "$real"; then
    echo "$1 was not changed: $real has no name server outside 127.0.0.0/8 and 172.0.0.0/8. Enter a name server yourself."
    return 1
  fi
  ln -sfn "$real" "$1"
}

move_away() { # PATH: move it to $folder/moved
  if [ ! -e "$1" ] && [ ! -L "$1" ]; then return 0; fi
  mkdir -p "$folder/moved${1%/*}"
  mv -n -T -- "$1" "$folder/moved$1"
}

not_running() { # NAME...: fail if a process with one of these names is running
  local file name
  for file in /proc/[0-9]*/comm; do
    { read -r name <"$file"; } 2>/dev/null || continue
    case " $* " in *" $name "*) echo "The process $name is running, so the step was not started. Stop it first."; return 1 ;; esac
  done
}

delete_links() { # NAME...: delete each network interface that is not a device of the machine
  local name
  for name; do
    if [ ! -e "/sys/class/net/$name" ]; then continue; fi
    if [ -e "/sys/class/net/$name/device" ]; then echo "$name is a device of the machine, so it was not deleted."; return 1; fi
    ip link delete "$name"
  done
}

remove_folders() { # PATH...: delete each folder; of a mount point delete only the content; fail if a mount is below it
  local path place
  for path; do
    path=${path%/}
    while read -r _ place _; do
      case $place in "$path"/*) echo "$path was not removed: $place is mounted. Unmount it first."; return 1 ;; esac
    done </proc/mounts
    if mountpoint -q "$path"; then
      find "$path" -xdev -mindepth 1 -delete
    else
      rm -rf --one-file-system -- "$path"
    fi
  done
}

# --- running the steps and undoing them

state() { # PATH: print its current state in one line
  if [ -L "$1" ]; then echo "link $(readlink "$1")"
  elif [ -f "$1" ]; then echo "file $(cksum <"$1")"
  elif [ -e "$1" ]; then echo other
  else echo absent
  fi
}

note_states() { # record the state of each file after a step, so that undo skips files that are changed later
  local path
  while IFS= read -r path; do printf '%s %s\n' "$path" "$(state "$path")"; done <"$folder/touched" >"$folder/left.new"
  mv -f "$folder/left.new" "$folder/left"
}

put_back() { # PATH: restore it from its backup, or delete it if it was missing before the fix
  local copy=$folder/before$1
  if ! grep -qxF -- "$1 $(state "$1")" "$folder/left"; then
    echo "$1 was not restored, because it has changed since the fix. The original file is in $copy."
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
    printf '#!/bin/bash\n# Restores the files that acp-tui fix changed on this node. It skips files that were changed later.\n'
    printf 'export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin:/usr/local/sbin"\nfolder=%q\nsshd_file=%q\n' "$folder" "$sshd_file"
    declare -f state put_back reload_sshd undo_all
    for name in $steps; do declare -f "undo_$name"; done
    echo undo_all
  } >"$folder/undo.sh"
}

tell() { # NAME STATUS: print the end of the log of step NAME, between two lines with the marker
  printf '%s %s\n' "$marker" "$1"
  tail -c 20000 "$folder/$1.log"
  printf '\n%s %s %s\n' "$marker" "$1" "$2"
}

run_step() { # NAME: run the commands of this step until one fails; a failed step does not stop the next steps
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

reload_sshd() { # try the unit sshd, then the unit ssh; print the output of systemctl only if both fail
  local first second
  first=$(systemctl reload sshd 2>&1) || second=$(systemctl reload ssh 2>&1) ||
    { printf '%s\n' "$first" "$second" >&2; return 1; }
}

guard_login() { # restore the settings unless $folder/keep appears in time; restore at once when $folder/back appears
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

try_login() { # reload sshd with its new settings, under the guard
  if ! sshd -t; then
    put_back "$sshd_file"
    return 1
  fi
  rm -f "$folder/keep" "$folder/back" "$folder/kept" "$folder/restored"
  (trap '' HUP TERM PIPE; guard_login) </dev/null >/dev/null 2>&1 &
  reload_sshd
  sleep 2 # sshd re-executes itself on reload; a signal at that moment would kill it
  echo "Try a second login within $patience seconds. If it works, run this command: touch $folder/keep"
}

main() {
  local name status
  if [ "$EUID" -ne 0 ]; then echo "This script did not start: it must run as root. Run it with sudo." >&2; exit 1; fi
  trap '' HUP PIPE # a lost connection must not stop a step halfway
  if ! mkdir -p "$folder" || ! touch "$folder/touched" "$folder/begun" || ! write_undo; then
    echo "No fix was made: this script cannot write backup copies to $folder. Check its disk space and permissions." >&2
    exit 1
  fi
  for name in $steps; do run_step "$name"; done
  if [ -n "$sshd_file" ]; then
    if cmp -s "$folder/before$sshd_file" "$sshd_file"; then
      echo "The settings of sshd were not changed." >"$folder/second_login.log"
      status=3
    else
      (try_login) >"$folder/second_login.log" 2>&1 # a subshell, so that the guard does not keep the SSH channel open
      status=$?
    fi
    tell second_login "$status"
  fi
}
