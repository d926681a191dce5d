#!/bin/sh
# Makes a cluster of the given nodes (HOST:PORT ..., each primary with one replica) and waits until every node sees it. A cluster that is there already
# is left as it is, so this can run at every start. redis-cli reads the password out of REDISCLI_AUTH.
set -eu

ask() { # HOST:PORT COMMAND ...
  node=$1
  shift
  redis-cli --no-auth-warning -h "${node%:*}" -p "${node##*:}" "$@"
}

sees_it() { ask "$1" cluster info | tr -d '\r' | grep -qx 'cluster_state:ok'; }

tries=0
for node in "$@"; do
  until ask "$node" ping 2>/dev/null | grep -qx PONG; do
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] || { echo "redis-cluster: $node does not answer" >&2; exit 1; }
    sleep 0.5
  done
done

# A node that knows others belongs to a cluster: making another would be refused, and forcing it would cost the stock.
if [ "$(ask "$1" cluster info | tr -d '\r' | sed -n 's/^cluster_known_nodes://p')" = 1 ]; then
  redis-cli --no-auth-warning --cluster create "$@" --cluster-replicas 1 --cluster-yes
fi

for node in "$@"; do
  tries=0
  until sees_it "$node"; do
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] || { echo "redis-cluster: $node does not see a whole cluster" >&2; exit 1; }
    sleep 0.5
  done
done
echo "redis-cluster: $# nodes see the cluster"
