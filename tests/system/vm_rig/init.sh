#!/bin/busybox sh
# The first process: drivers, the host's files under a layer of our own, the job, and the end.
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
for module in $($b cat /modules/order); do
    $b insmod "/modules/$module" || echo "RIG-FAILED $module" >/dev/ttyS1
done
options=trans=virtio,version=9p2000.L,msize=524288
$b mount -t 9p -o "$options,ro,cache=loose" host /lower
$b mount -t tmpfs layer /layer
$b mkdir /layer/upper /layer/work
$b mount -t overlay -o lowerdir=/lower,upperdir=/layer/upper,workdir=/layer/work root /root
for shown in proc sys dev; do $b mount --bind "/$shown" "/root/$shown"; done
$b mount -t tmpfs run /root/run
$b mount -t tmpfs tmp /root/tmp
$b mkdir /root/tmp/job
$b mount -t 9p -o "$options,rw,cache=none" job /root/tmp/job
$b stty -F /dev/ttyS1 -onlcr
echo RIG-UP >/dev/ttyS1
$b chroot /root /bin/sh /tmp/job/job.sh >/dev/ttyS1 2>&1
echo "RIG-STATUS $?" >/dev/ttyS1
$b sync
$b poweroff -f
