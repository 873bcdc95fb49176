#!/bin/sh
# A runtime that is written in another way than the lesson's: files of the kernel instead of cgset(1), long options,
# functions, names of its own.
set -o errexit -o nounset

here=$(pwd)
tools=/dev/tools   # where programs are when the root has changed
caps=-all,+kill,+net_bind_service,+audit_write
disarm="$tools/ld --library-path $tools $tools/setpriv --bounding-set=$caps --no-new-privs"

groups() {
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
        echo "/sys/fs/cgroup/$BOX"
    else
        for c in memory pids; do echo "/sys/fs/cgroup/$c/$BOX"; done
    fi
}

join() {
    for g in $(groups); do echo 0 > "$g/cgroup.procs"; done
}

outer() {
    test -d image || boxwright image unpack "$1" image
    for g in $(groups); do
        mkdir -p "$g"
        if [ -e "$g/memory.max" ]; then echo 64M > "$g/memory.max"; fi
        if [ -e "$g/memory.limit_in_bytes" ]; then echo 64M > "$g/memory.limit_in_bytes"; fi
    done
    join
    exec unshare --mount --uts --ipc --net --pid --fork --kill-child "$0" run "$@"
}

inner() {
    shift
	# the number that the host knows us by
	read -r number _ < /proc/self/stat
	echo "$number" > box.pid
    mkdir -p changes scratch tree
    mount -t overlay -o "lowerdir=$here/image,upperdir=$here/changes,workdir=$here/scratch" overlay tree
    cd tree
    mount -t tmpfs -o mode=755,nosuid tmpfs ./dev
    mount -t proc proc ./proc
    for node in null zero full random urandom tty; do
        touch "dev/$node"
        mount --bind "/dev/$node" "dev/$node"
    done
    mkdir dev/tools dev/host
    cp "$(command -v setpriv)" $(ldd "$(command -v setpriv)" | grep -o '/[^ ]*') dev/tools
    mv dev/tools/ld-* dev/tools/ld
    for d in sys bus; do
        mount --bind "proc/$d" "proc/$d"; mount -o remount,bind,ro "proc/$d"
    done
    hostname mine || exit 1
    pivot_root . dev/host
    cd /
    umount --lazy dev/host
    exec $disarm "$@"
}

enter() {
    join
    exec nsenter --target "$(cat box.pid)" --mount --uts --ipc --net --pid $disarm "$@"
}

verb=$1; shift
case $verb in
exec) enter "$@" ;;
run) if [ $$ = 1 ]; then inner "$@"; else outer "$@"; fi ;;
*) echo "mybox run IMAGE CMD, or mybox exec CMD" >&2; exit 2 ;;
esac
