{{- /*
The pod of a component: `root`, `component` (http, grpc, readers or embedded), `resources`.
Health is on the HTTP port in every role.
*/ -}}
{{- define "event-hub.pod" -}}
{{- $values := .root.Values -}}
{{- $isEmbedded := eq .component "embedded" -}}
metadata:
  labels:
    {{- include "event-hub.labels" . | nindent 4 }}
    {{- with $values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "event-hub.serviceAccount" .root }}
  automountServiceAccountToken: false
  # A Service named event-hub-http would set EVENT_HUB_HTTP_PORT to tcp://ADDRESS.
  enableServiceLinks: false
  # The hub ends within 10 s of its SIGTERM.
  terminationGracePeriodSeconds: 20
  securityContext:
    runAsNonRoot: true
    runAsUser: 1000
    runAsGroup: 1000
    fsGroup: 1000
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  {{- with $values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if include "event-hub.waitsForFirstKey" .root }}
  initContainers:
    - name: first-key
      {{- include "event-hub.container" . | nindent 6 }}
      command:
        - sh
        - -c
        - |
          {{- include "event-hub.firstKey" . | nindent 10 }}
  {{- end }}
  containers:
    - name: hub
      {{- include "event-hub.container" . | nindent 6 }}
      ports:
        - { name: http, containerPort: 8000 }
        {{- if or $isEmbedded (eq .component "grpc") }}
        - { name: grpc, containerPort: 50051 }
        {{- end }}
        {{- if $values.metrics.enabled }}
        - { name: metrics, containerPort: {{ $values.metrics.port }} }
        {{- end }}
      startupProbe:
        httpGet: { path: /livez, port: http }
        periodSeconds: 2
        timeoutSeconds: 5
        # Five minutes, for a file that is brought up to date.
        failureThreshold: 150
      livenessProbe:
        httpGet: { path: /livez, port: http }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        {{- if eq .component "grpc" }}
        grpc: { port: 50051 }
        {{- else }}
        httpGet: { path: /readyz, port: http }
        {{- end }}
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 2
      {{- if ne .component "readers" }}
      lifecycle:
        preStop:
          # Until nobody sends to it any more: endpoints are taken out at the same time.
          sleep: { seconds: 5 }
      {{- end }}
  {{- if not $isEmbedded }}
  topologySpreadConstraints:
    {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - topologyKey: {{ . }}
      maxSkew: 1
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "event-hub.selector" $ | nindent 10 }}
    {{- end }}
  {{- end }}
  {{- with $values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . | quote }}
  {{- end }}
  volumes:
    - name: tmp
      emptyDir: { sizeLimit: 64Mi }
    {{- if not $isEmbedded }}
    # The image's working folder, where these roles keep nothing.
    - name: data
      emptyDir: { sizeLimit: 1Mi }
    {{- end }}
    {{- with $values.secrets }}
    - name: secrets
      projected:
        defaultMode: 0440
        sources:
          {{- range $variable, $from := . }}
          - secret:
              name: {{ $from.secret | quote }}
              items: [{ key: {{ $from.key | quote }}, path: {{ $variable }} }]
          {{- end }}
    {{- end }}
    {{- with $values.volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{- /* What the hub's container and the one before it have in common. */ -}}
{{- define "event-hub.container" -}}
{{- $values := .root.Values -}}
image: {{ include "event-hub.image" .root }}
imagePullPolicy: {{ $values.image.pullPolicy }}
# The line that says which setting to change is then in `kubectl describe`.
terminationMessagePolicy: FallbackToLogsOnError
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
resources:
  {{- toYaml .resources | nindent 2 }}
env:
  - { name: EVENT_HUB_HTTP_HOST, value: {{ $values.host | quote }} }
  - { name: EVENT_HUB_HTTP_PORT, value: "8000" }
  - { name: EVENT_HUB_GRPC_PORT, value: "50051" }
  {{- if $values.metrics.enabled }}
  - { name: EVENT_HUB_METRICS_PORT, value: {{ $values.metrics.port | quote }} }
  {{- end }}
  {{- if eq .component "embedded" }}
  - { name: EVENT_HUB_LOG, value: "sqlite:/data/event-hub.db" }
  {{- else }}
  - { name: EVENT_HUB_ROLES, value: {{ .component }} }
  # The image has one: it would stand beside the file's.
  - { name: EVENT_HUB_LOG, value: "" }
  # More room for young objects than the image gives three threads: a role has one.
  - { name: NODE_OPTIONS, value: "--max-semi-space-size=16 --max-old-space-size=256" }
  {{- end }}
  {{- range $variable, $from := $values.secrets }}
  - { name: {{ $variable }}_FILE, value: /run/secrets/event-hub/{{ $variable }} }
  {{- end }}
  {{- range $variable, $value := $values.settings }}
  - { name: {{ $variable }}, value: {{ $value | quote }} }
  {{- end }}
  {{- with $values.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
volumeMounts:
  - { name: tmp, mountPath: /tmp }
  - { name: data, mountPath: /data }
  {{- if $values.secrets }}
  - { name: secrets, mountPath: /run/secrets/event-hub, readOnly: true }
  {{- end }}
  {{- with $values.volumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
