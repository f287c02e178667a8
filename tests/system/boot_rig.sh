#!/bin/bash
# boot_rig.sh: boot a real Debian 12 systemd, run one command in it, print what it said.
#
#   boot_rig.sh [options] -- COMMAND...        exit status: COMMAND's (97: the rig itself failed)
#     --rig nspawn   (default) systemd as PID 1 of a container: under a second to multi-user.target
#     --rig vm       Debian's own kernel in QEMU (TCG, no KVM needed): a real acpi-cpufreq policy in
#                    /sys/devices/system/cpu/cpufreq, driven by ACPI _PSS tables made here
#     --overlay DIR  copied over the root before PID 1 starts (units, wants/ links, code); repeatable
#     --bind DIR     nspawn only: DIR is seen at the same place, read-only; repeatable
#     --fake-cpu DIR nspawn only: DIR (plain files, or a FUSE mount) is put at /sys/devices/system/cpu
#     --state DIR    keep the machine's disk in DIR: the next run with it is the next boot of the same box
#     --cut SECONDS  vm only: pull the plug (SIGKILL to QEMU) so long after COMMAND started; status 98
#     --timeout S    for the whole run (default 60 nspawn, 300 vm)
# Needs root and apt. Everything is made once under BOOT_RIG_CACHE (default /var/cache/autotuner-rigs/boot).
set -euo pipefail
CACHE=${BOOT_RIG_CACHE:-/var/cache/autotuner-rigs/boot}
RIG=nspawn OVERLAYS=() BINDS=() FAKECPU= STATE= CUT= TIMEOUT=
while [ $# -gt 0 ]; do
  case $1 in
    --rig) RIG=$2; shift 2 ;;
    --overlay) OVERLAYS+=("$(realpath "$2")"); shift 2 ;;
    --bind) BINDS+=("--bind-ro=$(realpath "$2")"); shift 2 ;;
    --fake-cpu) FAKECPU=$(realpath "$2"); shift 2 ;;
    --state) mkdir -p "$2"; STATE=$(realpath "$2"); shift 2 ;;
    --cut) CUT=$2; shift 2 ;;
    --timeout) TIMEOUT=$2; shift 2 ;;
    --) shift; break ;;
    *) echo "boot_rig: unknown option $1" >&2; exit 97 ;;
  esac
done
[ $# -gt 0 ] || { sed -n '2,16p' "$0"; exit 97; }
fail() { echo "boot_rig: $*" >&2; exit 97; }
say() { echo "boot_rig: $*" >&2; }
now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", b - a }'; }

need() { # need PACKAGE...: install those that are missing
  local p miss=()
  for p in "$@"; do dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || miss+=("$p"); done
  [ ${#miss[@]} -eq 0 ] && return
  say "installing ${miss[*]}"
  apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${miss[@]}" >/dev/null || fail "apt-get"
}

make_tree() {
  [ -e "$CACHE/tree.done" ] && return
  need debootstrap
  local t; t=$(now)
  rm -rf "$CACHE/tree"; mkdir -p "$CACHE"
  debootstrap --variant=minbase --include=systemd,systemd-sysv,udev,dbus,kmod,procps,python3 \
    bookworm "$CACHE/tree" >"$CACHE/debootstrap.log" 2>&1 || fail "debootstrap: $CACHE/debootstrap.log"
  rm -rf "$CACHE"/tree/var/cache/apt/archives/*.deb "$CACHE"/tree/var/lib/apt/lists/*
  mkdir -p "$CACHE/tree/var/log/journal"                      # keep the journal across boots
  systemd-machine-id-setup --root="$CACHE/tree" >/dev/null 2>&1 # else each boot is a "first boot" (preset-all)
  touch "$CACHE/tree.done"
  say "tree made in $(since "$t") s"
}

# ---------------------------------------------------------------- nspawn
run_nspawn() {
  need systemd-container
  make_tree
  local t0 rc=0
  leader= cg=bootrig-$$ work=$(mktemp -d) t0=$(now) # not local: the EXIT trap needs them
  local disk=${STATE:-$work}
  mkdir -p "$disk/upper" "$disk/work" "$work/merged"
  local o; for o in "${OVERLAYS[@]}"; do cp -a "$o/." "$disk/upper/"; done
  local init='exec /lib/systemd/systemd' binds=()
  if [ -n "$FAKECPU" ]; then # --bind= cannot be used: nspawn mounts /sys/devices over it later
    binds+=("--bind=$FAKECPU:/run/host-fakecpu")
    init="mount --bind /run/host-fakecpu /sys/devices/system/cpu && $init"
  fi
  # A mount namespace of our own, so that the container sees pure cgroup v2 whatever the host has, in a
  # cgroup of its own, and the overlay goes away with it.
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 unshare -m bash -ec '
    work=$1 disk=$2 tree=$3 cg=$4; shift 4
    mount --make-rprivate /
    mount -t overlay -o "lowerdir=$tree,upperdir=$disk/upper,workdir=$disk/work" overlay "$work/merged"
    mount -t cgroup2 none /sys/fs/cgroup
    mkdir "/sys/fs/cgroup/$cg"; echo $$ >"/sys/fs/cgroup/$cg/cgroup.procs"
    exec systemd-nspawn -q -D "$work/merged" --machine="$cg" --register=no --keep-unit --private-network \
      --console=pipe "$@"' \
    _ "$work" "$disk" "$CACHE/tree" "$cg" "${binds[@]}" "${BINDS[@]}" /bin/sh -c "$init" </dev/null >"$work/console" 2>&1 9>&- &
  ns=$!
  inside() { nsenter -t "$leader" -a env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb "$@"; }
  finish() {
    [ -z "$leader" ] || inside systemctl poweroff >/dev/null 2>&1 || true
    local i; for i in $(seq 100); do kill -0 "$ns" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "$ns" 2>/dev/null || true; wait "$ns" 2>/dev/null || true
    unshare -m bash -c "mount -t cgroup2 none /sys/fs/cgroup; find /sys/fs/cgroup/$cg -depth -type d -exec rmdir {} +" 2>/dev/null
    rm -rf "$work"
  }
  trap 'finish || true' EXIT
  local i p
  for i in $(seq 200); do
    for p in $(pgrep -P "$ns" || true); do [ "$(cat "/proc/$p/comm" 2>/dev/null)" = systemd ] && leader=$p; done
    [ -n "$leader" ] && break
    kill -0 "$ns" 2>/dev/null || { cat "$work/console" >&2; fail "the container did not start"; }
    sleep 0.05
  done
  [ -n "$leader" ] || fail "no PID 1"
  for i in $(seq 600); do inside systemctl is-active -q multi-user.target 2>/dev/null && break; sleep 0.05; done
  inside systemctl is-active -q multi-user.target || { inside systemctl list-jobs >&2; fail "multi-user.target not reached"; }
  say "multi-user.target after $(since "$t0") s"
  timeout "${TIMEOUT:-60}" nsenter -t "$leader" -a env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb "$@" </dev/null || rc=$?
  return $rc
}

# ---------------------------------------------------------------- vm
asl() { # two CPUs, one frequency domain, four P-states; the register is pc-testdev's RAM port 0xE0
  cat <<'E'
DefinitionBlock ("", "SSDT", 2, "RIG   ", "CPUPSS  ", 1)
{
    Scope (\_SB) { Name (RPSS, Package () { /* MHz, mW, latency us, latency us, control, status */
        Package () { 3000, 45000, 10, 10, 0x1E, 0x1E }, Package () { 2400, 30000, 10, 10, 0x18, 0x18 },
        Package () { 1800, 20000, 10, 10, 0x12, 0x12 }, Package () { 1200, 12000, 10, 10, 0x0C, 0x0C } }) }
E
  local c; for c in C000 C001; do cat <<E
    External (\\_SB.CPUS.$c, ProcessorObj)
    Scope (\\_SB.CPUS.$c)
    {
        Name (_PCT, Package () { ResourceTemplate () { Register (SystemIO, 32, 0, 0xE0, ,) },
                                 ResourceTemplate () { Register (SystemIO, 32, 0, 0xE0, ,) } })
        Method (_PSS, 0) { Return (\\_SB.RPSS) }
        Name (_PPC, 0)
        Name (_PSD, Package () { Package () { 5, 0, 0, 0xFC, 2 } })
    }
E
  done
  echo '}'
}

make_vm() {
  need qemu-system-x86 acpica-tools busybox-static cpio e2fsprogs
  make_tree
  local rel m f t; t=$(now)
  if [ ! -e "$CACHE/vm.done" ]; then
    rel=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image-/ { sub("linux-image-", "", $2); print $2; exit }')
    [ -n "$rel" ] || { apt-get -qq update; rel=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image-/ { sub("linux-image-", "", $2); print $2; exit }'); }
    [ -n "$rel" ] || fail "which kernel?"
    rm -rf "$CACHE/kernel" "$CACHE/ird"; mkdir -p "$CACHE/kernel" "$CACHE/ird"/{bin,proc,sys,dev,newroot,m}
    (cd "$CACHE/kernel" && apt-get -qq -o APT::Sandbox::User=root download "linux-image-$rel" && dpkg-deb -x linux-image-*.deb . && rm linux-image-*.deb) || fail "kernel"
    echo "$rel" >"$CACHE/kernel/release"
    asl >"$CACHE/rig.asl"; (cd "$CACHE" && iasl -p rig rig.asl >iasl.log 2>&1) || fail "iasl: $CACHE/iasl.log"
    cp /bin/busybox "$CACHE/ird/bin/"
    m=$CACHE/kernel/lib/modules/$rel/kernel; : >"$CACHE/ird/m/order"
    for f in drivers/virtio/virtio_ring drivers/virtio/virtio drivers/virtio/virtio_pci_modern_dev \
      drivers/virtio/virtio_pci_legacy_dev drivers/virtio/virtio_pci drivers/block/virtio_blk lib/crc16 \
      crypto/crc32c_generic lib/libcrc32c fs/mbcache fs/jbd2/jbd2 fs/ext4/ext4 drivers/cpufreq/cpufreq_powersave \
      drivers/cpufreq/cpufreq_userspace drivers/cpufreq/cpufreq_conservative drivers/cpufreq/cpufreq_ondemand \
      drivers/cpufreq/acpi-cpufreq; do
      [ -f "$m/$f.ko" ] || fail "no module $f in $rel"
      cp "$m/$f.ko" "$CACHE/ird/m/"; echo "${f##*/}.ko" >>"$CACHE/ird/m/order"
    done
    cat >"$CACHE/ird/init" <<'E'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc; $b mount -t sysfs sys /sys; $b mount -t devtmpfs dev /dev
for m in $($b cat /m/order); do $b insmod /m/$m || echo "rig: insmod $m failed"; done
$b mount -t ext4 /dev/vda /newroot
$b tar -xf /dev/vdb -C /newroot
$b mount --move /dev /newroot/dev
exec $b switch_root /newroot /sbin/init
E
    chmod +x "$CACHE/ird/init"
    rm -rf "$CACHE/kernel/lib"
    rm -f "$CACHE/root.ext4"; mke2fs -q -t ext4 -d "$CACHE/tree" "$CACHE/root.ext4" 1G >/dev/null || fail "mke2fs"
    touch "$CACHE/vm.done"
    say "vm parts made in $(since "$t") s (kernel $rel)"
  fi
  rel=$(cat "$CACHE/kernel/release")
  [ -e "$CACHE/ird.gz" ] || (cd "$CACHE/ird" && find . | cpio -o -H newc 2>/dev/null | gzip -1 >"$CACHE/ird.gz")
}

run_vm() {
  make_vm
  local t0 rc o disk
  work=$(mktemp -d) t0=$(now) # not local: the EXIT trap needs work and q
  local wants=$work/job/etc/systemd/system/graphical.target.wants
  mkdir -p "$wants"
  for o in "${OVERLAYS[@]}"; do cp -a "$o/." "$work/job/"; done
  { echo '#!/bin/bash'; echo 'exec 2>&1'; printf '%q ' "$@"; echo; } >"$work/job/rig-job"
  cat >"$work/job/etc/systemd/system/rig-job.service" <<'E'
[Unit]
Description=boot rig job
After=multi-user.target
[Service]
Type=oneshot
StandardOutput=file:/dev/ttyS1
StandardError=inherit
ExecStart=/bin/bash -c 'stty -F /dev/ttyS1 -onlcr; echo RIG-UP $(cut -d" " -f1 /proc/uptime); bash /rig-job; echo RIG-RC $?; sync; systemctl poweroff --no-block'
E
  ln -s ../rig-job.service "$wants/rig-job.service"
  tar -C "$work/job" --owner=0 --group=0 -cf "$work/job.tar" .
  truncate -s %512 "$work/job.tar"
  disk="file=$CACHE/root.ext4,format=raw,if=virtio,snapshot=on"
  if [ -n "$STATE" ]; then
    [ -e "$STATE/root.ext4" ] || cp --sparse=always "$CACHE/root.ext4" "$STATE/root.ext4"
    disk="file=$STATE/root.ext4,format=raw,if=virtio"
  fi
  : >"$work/out"
  # GenuineIntel: acpi-cpufreq refuses QEMU's default CPU (AMD family 15) with port registers.
  timeout "${TIMEOUT:-300}" qemu-system-x86_64 -accel "${BOOT_RIG_ACCEL:-tcg,thread=multi}" -M pc -cpu qemu64,vendor=GenuineIntel \
    -smp 2 -m 1024 -display none -monitor none -nic none -no-reboot -serial "file:$work/console" -serial "file:$work/out" \
    -acpitable file="$CACHE/rig.aml" -device pc-testdev -drive "$disk" -drive "file=$work/job.tar,format=raw,if=virtio,readonly=on" \
    -kernel "$CACHE"/kernel/boot/vmlinuz-* -initrd "$CACHE/ird.gz" \
    -append "console=ttyS0 quiet panic=-1 root=/dev/vda rw" </dev/null >"$work/qemu" 2>&1 9>&- &
  q=$!
  trap 'kill -KILL "$q" 2>/dev/null || true; rm -rf "$work"' EXIT
  while kill -0 "$q" 2>/dev/null && ! grep -q '^RIG-UP' "$work/out"; do sleep 0.1; done
  grep -q '^RIG-UP' "$work/out" && say "multi-user.target after $(since "$t0") s"
  if [ -n "$CUT" ]; then sleep "$CUT"; pkill -KILL -P "$q" || true; fi # the plug: timeout's only child is QEMU
  wait "$q" 2>/dev/null || true
  say "vm gone after $(since "$t0") s"
  grep -v '^RIG-' "$work/out" || true
  rc=$(sed -n 's/^RIG-RC \([0-9]*\).*/\1/p' "$work/out")
  [ -n "$CUT" ] && [ -z "$rc" ] && return 98
  [ -n "$rc" ] || { tail -n 30 "$work/console" "$work/qemu" >&2; fail "the job did not finish"; }
  return "$rc"
}

[ "$(id -u)" = 0 ] || fail "needs root"
mkdir -p "$CACHE"; exec 9>"$CACHE/lock"; flock 9 # one at a time: the cache, and two cores
case $RIG in nspawn) run_nspawn "$@" ;; vm) run_vm "$@" ;; *) fail "no rig $RIG" ;; esac
