"""Shell functions for the installer node: decide whether root can run a program there, or use a folder.

They apply the rules of `acp_tui.core.ownership` on the node. A script that `run_script` runs starts with this text.
"""

UNTRUSTED = 76
"""The exit status of a script that refuses a folder, because a user who is neither root nor the SSH user can change it.

The SSH user counts as root, because sudo works without a password."""

TRUSTED = """
trusted() {  # PATH [UID]: only root and the user UID can change PATH, its parents, and the links on the way
  local rest=$1 here= part found mode target links=0
  case $rest in /*) ;; *) return 1 ;; esac
  while [ -n "$rest" ]; do
    part=${rest%%/*}
    case $rest in */*) rest=${rest#*/} ;; *) rest= ;; esac
    case $part in ''|.) continue ;; ..) here=${here%/*}; continue ;; esac
    found=$(stat -c '%u %f' "$here/$part" 2>/dev/null) || return 1
    [ "${found% *}" = 0 ] || [ "${found% *}" = "$2" ] || return 1
    mode=$((16#${found#* }))
    if [ $((mode & 0170000)) -eq $((0120000)) ]; then
      links=$((links + 1))
      [ "$links" -le 40 ] && target=$(readlink "$here/$part") || return 1
      case $target in /*) here= ;; esac
      rest=$target/$rest
      continue
    fi
    if [ $((mode & 022)) -ne 0 ]; then
      [ -n "$rest" ] && [ "${found% *}" = 0 ] && [ $((mode & 01000)) -ne 0 ] || return 1
    fi
    here=$here/$part
  done
  [ -n "$here" ]
}
runnable() {  # FILE: only root can change this program and the interpreter in its first line
  local line= IFS=$' \\t'
  [ -f "$1" ] && [ -x "$1" ] && trusted "$1" || return 1
  IFS= read -r -n 512 line <"$1" 2>/dev/null
  case $line in '#!'*) ;; *) return 0 ;; esac
  set -f; set -- ${line#??}; set +f
  trusted "$1" || return 1
  case $1 in */env) trusted "$(type -P "$2")" ;; esac
}
programs() {  # NAME: print the path of each program NAME in the folders of PATH that root can run
  local folder path=$PATH:/usr/local/bin IFS=:
  for folder in $path; do
    ! runnable "$folder/$1" || printf '%s\\n' "$folder/$1"
  done
}
"""
TRUSTED_FOLDER = (
    TRUSTED
    + f"""
trusted @FOLDER@ "$login_uid" || return {UNTRUSTED}
"""
)
"""Shell text that ends a script with the status UNTRUSTED if another user can change the folder @FOLDER@."""
