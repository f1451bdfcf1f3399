# The commands of the preflight as a plain script: one exec, no frames, no timeouts, no parsing. The preflight is compared
# with it.
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
echo '== machine'
date +%s.%N
hostname
uname -a
uname -m
uname -r
cat /etc/os-release
cat /etc/centos-release /etc/redhat-release 2>/dev/null
cat /etc/.productinfo /etc/.kyinfo 2>/dev/null
cat /etc/hostname
cat /etc/machine-id
cat /proc/sys/kernel/random/boot_id
cat /sys/class/dmi/id/product_uuid 2>/dev/null
for nic in /sys/class/net/*; do
  echo "$(basename "$nic") $(cat "$nic/address")"
done
nproc
grep -c ^processor /proc/cpuinfo
grep -m1 'model name' /proc/cpuinfo
grep -m1 flags /proc/cpuinfo
grep 'cpu MHz' /proc/cpuinfo | sort -u
cat /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor 2>/dev/null
systemd-detect-virt
grep MemTotal /proc/meminfo
free -b 2>/dev/null
echo '== disks'
lsblk -P -o NAME,ROTA,TYPE,MOUNTPOINT 2>/dev/null
cat /proc/self/mountinfo | awk '{print $3, $5, $9, $10}'
for path in / /var/lib /var/lib/etcd /var/log /tmp /root; do
  df -P -B1 "$path" 2>/dev/null | tail -1
done
for disk in /sys/block/*; do
  echo "$(basename "$disk") $(cat "$disk/queue/rotational")"
done
echo '== network'
ip -o addr
ip -o -4 route
ip -o -6 route
cat /etc/hosts | grep localhost
cat /etc/resolv.conf
grep ^nameserver /etc/resolv.conf | awk '{print $2}'
grep ^search /etc/resolv.conf
ss -lntp
ss -lnup
echo '== clock'
date +%z
readlink /etc/localtime
timedatectl 2>/dev/null
chronyc -n tracking 2>/dev/null
pgrep -l 'chronyd|ntpd|systemd-timesyn'
echo '== boot'
cat /proc/cmdline
grep GRUB_CMDLINE /etc/default/grub
grep -h '^[[:space:]]*linux' /boot/grub2/grub.cfg /boot/grub/grub.cfg 2>/dev/null
cat /boot/loader/entries/*.conf 2>/dev/null | grep ^options
cat /proc/modules | awk '{print $1}'
for module in ip_vs ip_vs_rr ip_vs_wrr ip_vs_sh nf_conntrack_ipv4 nf_conntrack_ipv6 geneve openvswitch ipip; do
  if grep -q "^$module " /proc/modules; then
    echo "$module loaded"
  elif modprobe -n -q "$module"; then
    echo "$module available"
  else
    echo "$module missing"
  fi
done
cat /sys/kernel/mm/transparent_hugepage/enabled
echo '== security'
id -u
sudo -n true 2>/dev/null && echo sudo
getenforce 2>/dev/null
cat /etc/selinux/config 2>/dev/null | grep ^SELINUX=
cat /sys/module/apparmor/parameters/enabled 2>/dev/null
cat /sys/kernel/security/apparmor/profiles 2>/dev/null | wc -l
cat /etc/ufw/ufw.conf 2>/dev/null | grep ENABLED
for unit in firewalld ufw nftables iptables ip6tables netfilter-persistent apparmor; do
  echo "$unit $(systemctl is-active "$unit" 2>/dev/null) $(systemctl is-enabled "$unit" 2>/dev/null)"
done
cat /proc/swaps
grep swap /etc/fstab
systemctl list-units --type=swap --no-legend --no-pager 2>/dev/null
systemctl show --property=DefaultTasksMax
sshd -T 2>/dev/null | grep -E '^(usedns|usepam)'
grep -iE '^(usedns|usepam)' /etc/ssh/sshd_config
echo '== software'
for tool in ip ss tar swapoff modprobe sysctl md5sum scp sftp; do
  command -v "$tool" >/dev/null || echo "no $tool"
done
ls /etc/systemd/system/kubelet.service 2>/dev/null
grep -E ' (/|/tmp) ' /proc/mounts
ps -e -o comm= | grep -E '^(kubelet|dockerd|containerd|kube-apiserver|k3s-server|rke2)$'
ls -d /etc/kubernetes/*.conf /var/lib/etcd/member 2>/dev/null
ls /usr/local/bin /usr/local/sbin /opt/cni/bin 2>/dev/null
for folder in /var/lib/docker /var/lib/containerd /var/log/pods /var/lib/kubelet/pki /var/lib/nerdctl /opt/nerdctl; do
  if [ -d "$folder" ]; then
    echo "$folder $(ls -A "$folder" | wc -l) $(du -sx -B1 "$folder" | cut -f1)"
  else
    echo "$folder absent"
  fi
done
command -v lvm
if command -v dpkg-query >/dev/null; then
  dpkg-query -W -f '${Status}\t${Package}\n' | grep 'ok installed'
fi
if command -v rpm >/dev/null; then
  rpm -qa --qf '%{NAME}\n'
fi
if command -v snap >/dev/null; then
  snap list 2>/dev/null
fi
exit 0
