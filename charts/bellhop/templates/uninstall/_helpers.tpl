{{/*
"true" if the clean-up before an uninstall is part of the release. `helm template` without a cluster does not render it: if it were applied with
kubectl, it would run at once and remove the new installation. With a cluster, helm knows every kind; without one, it knows only API versions.
*/}}
{{- define "bellhop.uninstall" -}}
{{- if and .Values.uninstall.enabled (.Capabilities.APIVersions.Has "batch/v1/Job") -}}
true
{{- end -}}
{{- end }}

{{/* Annotations of the hook's objects; call with the weight: helm creates the objects in the order of their weights. */}}
{{- define "bellhop.uninstallHook" -}}
helm.sh/hook: pre-delete
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
