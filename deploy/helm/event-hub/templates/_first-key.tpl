{{- /* Not empty where the hub would refuse to start, listening beyond its pod and open to nobody. */ -}}
{{- define "event-hub.waitsForFirstKey" -}}
{{- $settings := .Values.settings -}}
{{- $isOpen := has (get $settings "EVENT_HUB_ALLOW_ANONYMOUS") (list "true" "1") -}}
{{- if and .Values.waitForFirstKey (not $isOpen) (not (get $settings "EVENT_HUB_AUTH_ISSUER")) -}}
yes
{{- end -}}
{{- end -}}

{{- /*
Ends when there is a key. A store that is away is waited for, since without it no key is known; settings
that cannot be used end it. In the embedded mode a hub on loopback first makes the file that keeps the key.
*/ -}}
{{- define "event-hub.firstKey" -}}
hub=
trap '[ -z "$hub" ] || kill "$hub"; exit 143' TERM
{{- if eq .component "embedded" }}
if [ ! -e /data/event-hub.db ]; then
  EVENT_HUB_HTTP_HOST=127.0.0.1 event-hub serve &
  hub=$!
  until event-hub keys list --output ndjson >/dev/null 2>&1; do
    kill -0 "$hub" || exit 2
    sleep 1
  done
  kill "$hub"
  wait "$hub"
  hub=
fi
{{- end }}
while :; do
  made=$(event-hub keys list --output ndjson)
  case "$?:$made" in
    2:*) exit 2 ;;
    0:?*) exit 0 ;;
    0:) echo "waiting for the first API key; make it: kubectl exec -n {{ .root.Release.Namespace }} $HOSTNAME -c first-key -- event-hub keys create --name admin --scopes admin" ;;
  esac
  sleep 5 &
  wait $!
done
{{- end -}}
