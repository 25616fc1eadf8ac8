"""Sample repositories, as data: `import_repository("samples/shop")`."""
