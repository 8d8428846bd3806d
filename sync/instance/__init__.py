"""One machine: web, worker and the embedded stores in one process tree, data in one folder."""
