{{- define "bellhop.brokerNamespace" -}}
{{- $name := printf "%s-broker" (.Release.Name | trunc 56 | trimSuffix "-") -}}
{{- if eq $name .Release.Namespace -}}
{{- fail (printf "%s is the broker's own namespace, which the chart creates: install the release into another namespace" $name) -}}
{{- end -}}
{{ $name }}
{{- end }}

{{/* The namespace of one process; call with (dict "root" $ "component" "gateway"). */}}
{{- define "bellhop.namespaceOf" -}}
{{- if eq .component "broker" }}{{ include "bellhop.brokerNamespace" .root }}{{ else }}{{ .root.Release.Namespace }}{{ end -}}
{{- end }}

{{/* global.imageRegistry replaces the registry in the repository: the first part, if it has a dot or a port. */}}
{{- define "bellhop.image" -}}
{{- $repository := required "image.repository is not set: set it to the repository of Bellhop's image (charts/bellhop/README.md)" .Values.image.repository -}}
{{- with .Values.global.imageRegistry -}}
{{- $repository = printf "%s/%s" . (regexReplaceAll "^([^/]*[.:][^/]*|localhost)/" $repository "") -}}
{{- end -}}
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

{{/* Labels that select the pods of one process. */}}
{{- define "bellhop.selector" -}}
app.kubernetes.io/name: bellhop
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/*
Labels of an object: the chart's, `commonLabels`, then `labels` of the call. Call with (dict "root" $ "component" "gateway" "labels" …);
without a component the object belongs to no process.
*/}}
{{- define "bellhop.labels" -}}
{{- $labels := dict
  "app.kubernetes.io/part-of" "bellhop"
  "app.kubernetes.io/instance" .root.Release.Name
  "app.kubernetes.io/version" .root.Chart.AppVersion
  "app.kubernetes.io/managed-by" .root.Release.Service
  "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version)
}}
{{- $selector := dict }}
{{- if .component }}
{{- $selector = include "bellhop.selector" . | fromYaml }}
{{- end }}
{{- toYaml (mergeOverwrite $labels .root.Values.commonLabels (.labels | default dict) $selector) }}
{{- end }}

{{/* Labels of an object that belongs to no process; call with the root. */}}
{{- define "bellhop.commonLabels" -}}
{{ include "bellhop.labels" (dict "root" .) }}
{{- end }}

{{/* `labels` and `annotations` of an object; call as "bellhop.labels", with the object's own annotations in "annotations". */}}
{{- define "bellhop.metadata" -}}
labels:
  {{- include "bellhop.labels" . | nindent 2 }}
{{- with mergeOverwrite (dict) .root.Values.commonAnnotations (.annotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "bellhop.extraCA" -}}
{{- with .Values.extraCA -}}
{{- if trim .pem -}}bellhop-extra-ca{{- else -}}{{ .configMap }}{{- end -}}
{{- end -}}
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
