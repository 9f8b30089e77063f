#!/bin/bash
# Fills the configuration files that the embedded stack reads too, then starts the container's program.
# Used by docker-compose.yml: compose-entry.sh kafka|connect|registry|postgres|render
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
