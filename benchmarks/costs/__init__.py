"""What each public function costs on the VM: ``python -m benchmarks.costs``."""
