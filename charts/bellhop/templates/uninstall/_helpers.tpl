{{/*
"true" where the clean-up before an uninstall is part of the release. Not in what `helm template` renders without a cluster: applied with kubectl
it would run at once, and take down what was just installed. Of a cluster helm knows each kind, without one the versions alone. `helm template
--dry-run=server` and Argo CD know them too: there `uninstall.enabled` is to be false (README.md).
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
