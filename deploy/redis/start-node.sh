#!/bin/sh
# Starts a node with its password out of the variable that redis-cli reads too; the list of processes does not show it.
set -eu
password=${REDISCLI_AUTH:?give the password of the cluster}
own="${TMPDIR:-/tmp}/doorbuster-auth.conf"
umask 077
printf 'requirepass "%s"\nmasterauth "%s"\n' "$password" "$password" >"$own"
exec redis-server "${REDIS_CONFIG:-/etc/redis/redis.conf}" --include "$own" "$@"
