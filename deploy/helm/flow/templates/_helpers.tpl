{{- define "flow.labels" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{- define "flow.name" -}}
{{ .root.Release.Name }}-{{ .name }}
{{- end }}

{{- define "flow.addresses" -}}
{{- $addresses := dict }}
{{- range $name, $executor := .Values.executors }}
{{- $_ := set $addresses $name (list (printf "grpc://%s-%s:8080" $.Release.Name $name)) }}
{{- end }}
{{- range $name, $list := .Values.external }}
{{- $_ := set $addresses $name $list }}
{{- end }}
{{- toJson $addresses }}
{{- end }}

{{- define "flow.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "flow.probes" -}}
startupProbe:
  {{- toYaml .question | nindent 2 }}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 300
readinessProbe:
  {{- toYaml .question | nindent 2 }}
  periodSeconds: 2
  timeoutSeconds: 5
livenessProbe:
  {{- toYaml .question | nindent 2 }}
  periodSeconds: 10
  timeoutSeconds: 10
  failureThreshold: 6
{{- end }}
