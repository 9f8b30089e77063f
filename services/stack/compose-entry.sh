#!/bin/bash
# Fills the configuration files that the embedded stack reads too, then starts the container's program.
# Used by docker-compose.yml: compose-entry.sh kafka|connect|registry|postgres|render|may-lead
set -euo pipefail

source_folder=${GOVBUS_ENTRY_SOURCE:-/etc/govbus}
target_folder=${GOVBUS_ENTRY_TARGET:-/tmp/govbus}
secret_folder=${GOVBUS_ENTRY_SECRETS:-/run/secrets}

# A secret file kafka-broker becomes the value GOVBUS_SECRET_KAFKA_BROKER, inside this container only.
read_secrets() {
  local file name
  for file in "$secret_folder"/*; do
    [[ -f $file ]] || continue
    name=$(basename "$file")
    name=${name^^}
    name=GOVBUS_SECRET_${name//-/_}
    [[ -s $file ]] || { echo "secret file $file is empty" >&2; exit 1; }
    export "$name=$(<"$file")"
  done
}

fill() {
  local text name
  text=$(<"$1")
  while read -r name; do
    text=${text//"\${$name}"/"${!name}"}
  done < <(compgen -e | grep '^GOVBUS_')
  if [[ $text =~ \$\{(GOVBUS_[A-Z0-9_]+)\} ]]; then
    echo "$(basename "$1"): no value for ${BASH_REMATCH[1]}" >&2
    exit 1
  fi
  printf '%s\n' "$text" >"$target_folder/$(basename "$1")"
}

# As services/stack/fencing.py: whether the broker still leads by the metadata, as after a crash.
may_lead() {
  local folder=$GOVBUS_KAFKA_DATA/__cluster_metadata-0 segment last
  for segment in $(ls -r "$folder"/*.log 2>/dev/null); do
    last=$(od -An -v -tx1 "$segment" | tr -d '\n' |
      grep -oE ' 01 11 .. 00 00 00 01( ..){8} 01 00 01 (01|ff)' | tail -n 1) || true
    [[ -z $last ]] || { [[ $last == *ff ]]; return; }
  done
  [[ -n ${segment:-} ]]
}

# As Kafka._fence in services/stack/kafka.py: after a crash the controller alone takes the leaders away.
fence_dead_broker() {
  local controller=CONTROLLER://$GOVBUS_HOST:$GOVBUS_CONTROLLER_PORT pid
  may_lead || return 0
  /opt/kafka/bin/kafka-server-start.sh "$target_folder/kafka-server.properties" \
    --override process.roles=controller \
    --override "listeners=$controller" --override "advertised.listeners=$controller" \
    --override broker.heartbeat.interval.ms=100 --override broker.session.timeout.ms=500 &
  pid=$!
  while may_lead; do
    kill -0 "$pid" || { echo "the controller ended before it fenced the killed broker" >&2; exit 1; }
    sleep 0.2
  done
  kill "$pid"
  wait "$pid" || true
}

if [[ ${1:-} == may-lead ]]; then
  may_lead
  exit
fi

umask 077
mkdir -p "$target_folder"
read_secrets
for file in "$source_folder"/*; do fill "$file"; done

case $1 in
  render) ;;
  kafka)
    export KAFKA_LOG4J_OPTS="-Dlog4j2.configurationFile=$target_folder/log4j2.properties"
    cluster=$(cat "$GOVBUS_KAFKA_DATA/cluster-id" 2>/dev/null || /opt/kafka/bin/kafka-storage.sh random-uuid)
    /opt/kafka/bin/kafka-storage.sh format --standalone --ignore-formatted --cluster-id="$cluster" \
      --config "$target_folder/kafka-server.properties" \
      --add-scram "SCRAM-SHA-512=[name=broker,password=$GOVBUS_SECRET_KAFKA_BROKER]" \
      --add-scram "SCRAM-SHA-512=[name=admin,password=$GOVBUS_SECRET_KAFKA_ADMIN]"
    echo "$cluster" >"$GOVBUS_KAFKA_DATA/cluster-id"
    fence_dead_broker
    exec /opt/kafka/bin/kafka-server-start.sh "$target_folder/kafka-server.properties"
    ;;
  connect)
    printf 'govbus: %s\n' "$GOVBUS_SECRET_CONNECT_REST" >"$GOVBUS_CONNECT_USERS"
    export KAFKA_LOG4J_OPTS="-Dlog4j2.configurationFile=$target_folder/log4j2.properties"
    KAFKA_OPTS="-Djava.security.auth.login.config=$target_folder/connect-jaas.conf"
    # A connector may name a login for its clients; by no other module than the one that only checks a password.
    KAFKA_OPTS+=" -Dorg.apache.kafka.allowed.login.modules=org.apache.kafka.common.security.scram.ScramLoginModule"
    export KAFKA_OPTS
    exec /opt/kafka/bin/connect-distributed.sh "$target_folder/connect-worker.properties"
    ;;
  registry)
    export QUARKUS_CONFIG_LOCATIONS="$target_folder/registry.properties"
    # Not the image's own start script: its options would bind all interfaces, whatever the file says.
    exec java -XX:+ExitOnOutOfMemoryError -Xmx512m -Djava.util.logging.manager=org.jboss.logmanager.LogManager \
      -jar /deployments/quarkus-run.jar
    ;;
  postgres)
    chmod 0755 "$target_folder"
    chmod 0644 "$target_folder/postgresql.conf"
    exec docker-entrypoint.sh postgres -c "config_file=$target_folder/postgresql.conf"
    ;;
  *)
    echo "compose-entry.sh: unknown part $1" >&2
    exit 2
    ;;
esac
