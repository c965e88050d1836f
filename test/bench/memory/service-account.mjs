// Preloaded into a process of ours: it finds its service account in SERVICE_ACCOUNT_FOLDER instead of where a kubelet mounts it, so that it
// runs as in a pod. A kubeconfig would load a package that no pod loads.
import files from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const mounted = "/var/run/secrets/kubernetes.io/serviceaccount";
const { readFile } = files;
files.readFile = (path, ...options) =>
  readFile(typeof path === "string" ? path.replace(mounted, process.env.SERVICE_ACCOUNT_FOLDER) : path, ...options);
syncBuiltinESMExports();
