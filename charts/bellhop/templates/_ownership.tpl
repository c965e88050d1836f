{{/* The release that owns an object, from helm's annotations: "name/namespace"; "" if no release owns it. Call with a result of `lookup`. */}}
{{- define "bellhop.owner" -}}
{{- $annotations := dig "metadata" "annotations" dict . -}}
{{- if and (eq (dig "metadata" "labels" "app.kubernetes.io/managed-by" "" .) "Helm") (hasKey $annotations "meta.helm.sh/release-name") -}}
{{ index $annotations "meta.helm.sh/release-name" }}/{{ index $annotations "meta.helm.sh/release-namespace" }}
{{- end -}}
{{- end }}

{{/* "true" if a manager other than helm wrote the object's spec: a server-side apply, which Helm 4 uses, then fails with a conflict. */}}
{{- define "bellhop.appliedByOthers" -}}
{{- range dig "metadata" "managedFields" list . }}
{{- if and (ne .manager "helm") (hasKey (.fieldsV1 | default dict) "f:spec") }}true{{ end }}
{{- end }}
{{- end }}

{{/* The objects of the chart that outlive a release, as JSON: the arguments of `lookup`, and kubectl's name of the resource. */}}
{{- define "bellhop.lastingObjects" -}}
{{- $objects := list }}
{{- range $kind := list "ValidatingAdmissionPolicy" "ValidatingAdmissionPolicyBinding" }}
{{- $objects = append $objects (dict "apiVersion" "admissionregistration.k8s.io/v1" "kind" $kind "name" "bellhop-policy-parameters" "resource" (lower $kind)) }}
{{- end }}
{{- if .Values.crds.install }}
{{- range $path, $_ := .Files.Glob "files/crds/*.yaml" }}
{{- $crd := $.Files.Get $path | fromYaml }}
{{- $objects = append $objects (dict "apiVersion" $crd.apiVersion "kind" $crd.kind "name" $crd.metadata.name "resource" "crd") }}
{{- end }}
{{- end }}
{{- toJson $objects }}
{{- end }}

{{/* Call with (list <name> <namespace>) of the installed release. */}}
{{- define "bellhop.secondRelease" -}}
{{- $name := first . -}}
{{- $namespace := last . }}

Bellhop is already installed as release {{ $name | quote }} in namespace {{ $namespace | quote }}. Install one release per cluster: the names of ClusterRoles and admission policies are fixed.
Upgrade that release:    helm upgrade {{ $name }} … --namespace {{ $namespace }}
or uninstall it first:   helm uninstall {{ $name }} --namespace {{ $namespace }}
{{ end }}

{{/* Call with "root", "objects" as kubectl names them, and "foreign": whether a manager other than helm applied one of them. */}}
{{- define "bellhop.notOurs" -}}
{{- $objects := join " " .objects -}}
{{- $force := and .foreign (semverCompare ">=4.0.0-0" .root.Capabilities.HelmVersion.Version) }}
{{- with .root.Release }}

These objects are in the cluster and do not belong to release {{ .Name | quote }} in namespace {{ .Namespace | quote }}: {{ $objects }}.
An earlier release left them, or they were applied by other means. Transfer them to this release once, then repeat your command{{ if $force }} with --force-conflicts{{ end }}:
  kubectl annotate --overwrite {{ $objects }} meta.helm.sh/release-name={{ .Name }} meta.helm.sh/release-namespace={{ .Namespace }}
  kubectl label --overwrite {{ $objects }} app.kubernetes.io/managed-by=Helm
{{- end }}
{{- if contains "crd/" $objects }}
If you upgrade the CRDs yourself, set crds.install=false instead.
{{- end }}
{{ end }}
