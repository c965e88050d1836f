{{- define "bellhop.brokerNamespace" -}}
{{- $name := printf "%s-broker" (.Release.Name | trunc 56 | trimSuffix "-") -}}
{{- if eq $name .Release.Namespace -}}
{{- fail (printf "%s is the broker's own namespace, which the chart creates: install the release into another" $name) -}}
{{- end -}}
{{ $name }}
{{- end }}

{{- define "bellhop.image" -}}
{{- $repository := required "image.repository: where is the image? (values.yaml, README)" .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{ $repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ $repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "bellhop.externalURL" -}}
{{- with .Values.gateway -}}
{{- if .externalURL -}}
{{ .externalURL }}
{{- else if and .ingress.enabled .ingress.host -}}
https://{{ .ingress.host }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* What selects the pods of one process. */}}
{{- define "bellhop.selector" -}}
app.kubernetes.io/name: bellhop
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* Labels of one process; call with (dict "root" $ "component" "gateway"). */}}
{{- define "bellhop.labels" -}}
{{ include "bellhop.selector" . }}
{{ include "bellhop.commonLabels" .root }}
{{- end }}

{{- define "bellhop.commonLabels" -}}
app.kubernetes.io/part-of: bellhop
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* The fields of a pod that all processes share. */}}
{{- define "bellhop.pod" -}}
serviceAccountName: bellhop-{{ .component }}
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  seccompProfile: { type: RuntimeDefault }
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "bellhop.selector" . | nindent 8 }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if and (ne .component "gateway") (include "bellhop.extraCA" .root) }}
volumes:
  - name: extra-ca
    configMap:
      name: {{ include "bellhop.extraCA" .root }}
{{- end }}
{{- end }}

{{/* The fields of a container that all processes share, but for ports and env. */}}
{{- define "bellhop.container" -}}
name: {{ .component }}
image: {{ include "bellhop.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
command: ["node", "/app/dist/{{ .component }}/main.js"]
securityContext:
  privileged: false
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: ["ALL"] }
resources:
  {{- toYaml (index .root.Values .component).resources | nindent 2 }}
startupProbe:
  httpGet: { path: /healthz, port: probes }
  periodSeconds: 1
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /healthz, port: probes }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: { path: /readyz, port: probes }
  periodSeconds: 2
  timeoutSeconds: 2
{{- if and (ne .component "gateway") (include "bellhop.extraCA" .root) }}
volumeMounts:
  - name: extra-ca
    mountPath: /etc/bellhop/extra-ca
    readOnly: true
{{- end }}
{{- end }}

{{- define "bellhop.extraCA" -}}
{{- with .Values.extraCA -}}
{{- if .pem -}}bellhop-extra-ca{{- else -}}{{ .configMap }}{{- end -}}
{{- end -}}
{{- end }}

{{/* Environment of every process. */}}
{{- define "bellhop.env" -}}
- name: LOG_LEVEL
  value: {{ .root.Values.logLevel }}
- name: BELLHOP_NAMESPACE
  valueFrom:
    fieldRef: { fieldPath: metadata.namespace }
- name: BELLHOP_PROBE_PORT
  value: "8081"
{{- end }}

{{/* Environment of the processes that call providers. */}}
{{- define "bellhop.providerEnv" -}}
{{- with .Values.allowedPrivateHosts }}
- name: BELLHOP_ALLOWED_HOSTS
  value: {{ join "," . | quote }}
{{- end }}
{{- with .Values.clusterRanges }}
- name: BELLHOP_REFUSED_RANGES
  value: {{ join "," . | quote }}
{{- end }}
{{- if include "bellhop.extraCA" . }}
- name: BELLHOP_CA_FILE
  value: /etc/bellhop/extra-ca/ca.crt
{{- end }}
{{- range $name, $value := dict "HTTPS_PROXY" .Values.proxies.https "HTTP_PROXY" .Values.proxies.http "NO_PROXY" .Values.proxies.none }}
{{- with $value }}
- name: {{ $name }}
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* The resources of every integration kind, and their status, as JSON: files/integrations.yaml is generated from the registry. */}}
{{- define "bellhop.integrations" -}}
{{ .Files.Get "files/integrations.yaml" | fromYamlArray | toJson }}
{{- end }}

{{- define "bellhop.integrationStatuses" -}}
{{- $statuses := list }}
{{- range .Files.Get "files/integrations.yaml" | fromYamlArray }}
{{- $statuses = append $statuses (printf "%s/status" .) }}
{{- end }}
{{- toJson $statuses }}
{{- end }}
