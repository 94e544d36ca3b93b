{{- /* The name that all objects begin with: the release's, with the chart's where it is not in it. */ -}}
{{- define "event-hub.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* What finds the pods of a release; with `component` those of one role. */ -}}
{{- define "event-hub.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{- define "event-hub.labels" -}}
{{ include "event-hub.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "event-hub.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "event-hub.name" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "event-hub.image" -}}
{{- with .Values.image -}}
{{- $repository := required "image.repository: say where the image is, such as ghcr.io/OWNER/event-hub" .repository -}}
{{- if .digest -}}
{{- printf "%s@%s" $repository .digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default $.Chart.AppVersion .tag) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* The component that has a role: all roles are one pod in the embedded mode. */ -}}
{{- define "event-hub.componentOf" -}}
{{- if eq .root.Values.mode "embedded" -}}embedded{{- else -}}{{ .role }}{{- end -}}
{{- end -}}
