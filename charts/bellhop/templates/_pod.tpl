{{/*
Common parts of the pods of gateway, operator and broker. Every helper is called with (dict "root" $ "component" "gateway").
*/}}

{{/*
Labels and annotations of a pod; "annotations" of the call win over `podAnnotations`. A checksum represents files that the process
reads only at its start, so that a change rolls the pods that read them, and no others.
*/}}
{{- define "bellhop.podMetadata" -}}
{{- $values := index .root.Values .component }}
{{- $ours := .annotations | default dict }}
{{- if trim .root.Values.extraCA.pem }}
{{- $ours = merge (dict "checksum/extra-ca" (sha256sum .root.Values.extraCA.pem)) $ours }}
{{- end }}
labels:
  {{- include "bellhop.labels" (merge (dict "labels" $values.podLabels) .) | nindent 2 }}
{{- with mergeOverwrite (dict) $values.podAnnotations $ours }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The fields of a pod, without its containers. */}}
{{- define "bellhop.pod" -}}
{{- $values := index .root.Values .component }}
serviceAccountName: bellhop-{{ .component }}
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  {{- include "bellhop.securityContext" (merge (dict "name" "podSecurityContext") .) | nindent 2 }}
topologySpreadConstraints:
  {{- include "bellhop.topologySpread" . | nindent 2 }}
{{- range $name := list "affinity" "nodeSelector" "priorityClassName" "tolerations" }}
{{- with index $values $name | default (index $.root.Values $name) }}
{{ dict $name . | toYaml }}
{{- end }}
{{- end }}
{{- with concat (include "bellhop.ownVolumes" . | fromYamlArray) $values.extraVolumes }}
volumes:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/*
A security context: the process's own values override the common ones, key by key; null removes a key. "name" chooses between
`podSecurityContext` and `securityContext`.
OpenShift's SCC `restricted-v2` chooses user and groups itself and refuses pods that set others.
*/}}
{{- define "bellhop.securityContext" -}}
{{- $context := mergeOverwrite (deepCopy (index .root.Values .name)) (index .root.Values .component .name) }}
{{- $adapt := .root.Values.global.compatibility.openshift.adaptSecurityContext }}
{{- $openshift := .root.Capabilities.APIVersions.Has "security.openshift.io/v1" }}
{{- if or (eq $adapt "force") (and (eq $adapt "auto") $openshift) }}
{{- $context = omit $context "runAsUser" "runAsGroup" "fsGroup" }}
{{- end }}
{{- range $key, $value := $context }}
{{- if kindIs "invalid" $value }}
{{- $context = omit $context $key }}
{{- end }}
{{- end }}
{{- toYaml $context }}
{{- end }}

{{/* Constraints without a selector select the pods of the process itself. */}}
{{- define "bellhop.topologySpread" -}}
{{- $apart := dict "maxSkew" 1 "topologyKey" "kubernetes.io/hostname" "whenUnsatisfiable" "ScheduleAnyway" }}
{{- $given := (index .root.Values .component).topologySpreadConstraints | default .root.Values.topologySpreadConstraints }}
{{- $own := dict "matchLabels" (include "bellhop.selector" . | fromYaml) }}
{{- $constraints := list }}
{{- range $given | default (list $apart) }}
{{- $constraints = append $constraints (ternary . (merge (dict "labelSelector" $own) .) (hasKey . "labelSelector")) }}
{{- end }}
{{- toYaml $constraints }}
{{- end }}

{{- define "bellhop.ownVolumes" -}}
{{- if include "bellhop.extraCA" .root }}
- name: extra-ca
  configMap:
    name: {{ include "bellhop.extraCA" .root }}
{{- end }}
{{- end }}

{{- define "bellhop.ownVolumeMounts" -}}
{{- if include "bellhop.extraCA" .root }}
- name: extra-ca
  mountPath: /etc/bellhop/extra-ca
  readOnly: true
{{- end }}
{{- end }}

{{/* The container of a serving process, without its ports. */}}
{{- define "bellhop.container" -}}
{{ include "bellhop.baseContainer" . }}
command: ["/app/bin/bellhop", {{ .component | quote }}]
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
{{- end }}

{{/* Common parts of every container. Its environment is the helper "bellhop.<component>.env", beside the Deployment or Job. */}}
{{- define "bellhop.baseContainer" -}}
{{- $values := index .root.Values .component }}
name: {{ .component }}
image: {{ include "bellhop.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  {{- include "bellhop.securityContext" (merge (dict "name" "securityContext") .) | nindent 2 }}
resources:
  {{- toYaml $values.resources | nindent 2 }}
env:
  {{- include "bellhop.env" . | nindent 2 }}
{{- with concat (include "bellhop.ownVolumeMounts" . | fromYamlArray) $values.extraVolumeMounts }}
volumeMounts:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The whole environment: the chart's variables, then `extraEnv`, which must not repeat them, because the last one would win. */}}
{{- define "bellhop.env" -}}
{{- $ours := concat
  (include "bellhop.commonEnv" . | fromYamlArray)
  (include (printf "bellhop.%s.env" .component) .root | fromYamlArray)
  (include "bellhop.providerEnv" .root | fromYamlArray)
}}
{{- $names := list }}
{{- range $ours }}
{{- $names = append $names .name }}
{{- end }}
{{- $extra := (index .root.Values .component).extraEnv }}
{{- range $extra }}
{{- if has .name $names }}
{{- fail (printf "%s.extraEnv: the chart sets %s itself: use the chart value for it (charts/bellhop/README.md)" $.component .name) }}
{{- end }}
{{- end }}
{{- toYaml (concat $ours $extra) }}
{{- end }}

{{/* Environment of every process. */}}
{{- define "bellhop.commonEnv" -}}
- name: LOG_LEVEL
  value: {{ .root.Values.logLevel }}
- name: BELLHOP_NAMESPACE
  valueFrom:
    fieldRef: { fieldPath: metadata.namespace }
- name: BELLHOP_PROBE_PORT
  value: "8081"
{{- end }}

{{/* Environment for calls to providers, which every process makes: the gateway only for integrations without a webhook. Call with the root. */}}
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
