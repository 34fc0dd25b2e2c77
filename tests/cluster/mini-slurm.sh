#!/bin/sh
# A throw-away Slurm in this process's network and process namespaces, without systemd, cgroups or a database:
#
#   unshare --net --uts --pid --fork --kill-child --mount-proc sh mini-slurm.sh DIR NODES CPUS MAX_ARRAY_SIZE
#
# It says `ready` and stays; whoever kills `unshare` ends all of it. Nothing outside of the namespaces can reach its
# daemons, and nothing inside reaches out. Clients enter with `nsenter --target PID --net --uts` and
# SLURM_CONF=DIR/slurm.conf. `DIR/again` starts the controller again, after it has been killed, with no
# memory of its jobs: what it had not saved would else stand in its queue for ever.
#
# Needs root and the Debian packages slurmctld slurmd slurm-client munge.
set -eu
dir=$1 nodes=$2 cpus=$3 max_array_size=$4
PATH=$PATH:/usr/sbin:/sbin
export SLURM_CONF="$dir/slurm.conf"

# wait_for COMMAND..: until it holds, for at most 30 s.
wait_for() {
  tries=0
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || { echo "mini-slurm: in vain: $*" >&2; exit 1; }
    sleep 0.1
  done
}

ip link set lo up
# The resolver takes a machine that has loopback addresses alone for one without any.
ip address add 10.0.0.1/32 dev lo
hostname localhost
mkdir -p "$dir/state" "$dir/munge"
chmod 0711 "$dir/munge"

# A key and a socket of its own: the machine's munge is not touched.
(umask 077; head -c 1024 /dev/urandom >"$dir/munge/key")
munged --force --socket="$dir/munge/socket" --key-file="$dir/munge/key" --pid-file="$dir/munge/pid" \
  --log-file="$dir/munge/log" --seed-file="$dir/munge/seed"

cat >"$SLURM_CONF" <<CONF
ClusterName=mini
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
CredType=cred/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
MaxArraySize=$max_array_size
ReturnToService=2
KillWait=5
MailProg=/bin/true
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd-%n.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd-%n.log
SlurmdParameters=config_overrides
CONF
for node in $(seq "$nodes"); do
  echo "NodeName=n$node NodeHostname=localhost NodeAddr=127.0.0.1 Port=$((7000 + node)) CPUs=$cpus RealMemory=8000" \
    >>"$SLURM_CONF"
done
echo "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP" >>"$SLURM_CONF"
echo "CgroupAutomount=no" >"$dir/cgroup.conf"

slurmctld -c
wait_for scontrol ping
for node in $(seq "$nodes"); do
  mkdir -p "$dir/n$node"
  slurmd -N "n$node"
done
idle() { [ "$(sinfo -h -N -o %t | grep -c -x idle)" = "$nodes" ]; }
wait_for idle
echo ready

while :; do
  if [ -e "$dir/again" ]; then
    rm "$dir/again"
    # Nodes refuse a job whose number they have seen.
    echo "FirstJobId=1000" >>"$SLURM_CONF"
    slurmctld -c
  fi
  sleep 0.1
done
