#!/bin/sh
# Two machines on one: network namespaces joined by a cable (veth), a rank in each, one torchrun rendezvous.
# Needs root and iproute2. Usage: tests/distributed/two_machines.sh OUT  (run from the root of the checkout)
set -eu
out=${1:?usage: two_machines.sh OUT}
python=${PYTHON:-python}
spec=${SPEC:-dualip:sources=66000,destinations=40,degree=3,seed=5}
endpoint=10.77.0.1:29400

end() {
    ip netns delete dualbench-a 2>/dev/null || true
    ip netns delete dualbench-b 2>/dev/null || true
}
trap end EXIT
end
ip netns add dualbench-a
ip netns add dualbench-b
ip link add va netns dualbench-a type veth peer name vb netns dualbench-b
for side in a b; do
    [ "$side" = a ] && address=10.77.0.1/24 || address=10.77.0.2/24
    ip -n dualbench-$side address add $address dev v$side
    ip -n dualbench-$side link set v$side up
    ip -n dualbench-$side link set lo up
done

machine() {
    GLOO_SOCKET_IFNAME=v$1 OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 ip netns exec dualbench-$1 \
        "$python" -m torch.distributed.run --nnodes=2 --nproc-per-node=1 --local-addr="$2" \
        --rdzv-backend=c10d --rdzv-endpoint=$endpoint --rdzv-id=dualbench --rdzv-conf=is_host="$3" \
        -m harness scale "$spec" --out "$out"
}
machine b 10.77.0.2 0 &
second=$!
machine a 10.77.0.1 1
wait $second
