"""Pure parts of the Kubernetes API: labels, patches, field sets, schemas, quantities, YAML."""
