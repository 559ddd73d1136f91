"""The `fixed` engine: endpoints that the configuration names. They are there or not (probes find out); nothing is started."""

from collections.abc import Sequence

from autoscaler.cluster import address
from autoscaler.cluster.engine import Instance
from autoscaler.cluster.found import Found

MAX_WEIGHT = 256  # as in HAProxy; keeps weighted picking cheap


class Fixed(Found):
    """An `Engine` over fixed addresses. `set_endpoints` of each service once it is configured, and again whenever its endpoints change."""

    def set_endpoints(self, service: str, endpoints: Sequence[tuple[str, int]]) -> None:
        """Set a service's endpoints, as (address, weight). Raises ValueError, in words; the former ones then stay."""
        instances = [self._endpoint(service, text, weight) for text, weight in endpoints]
        addresses = [instance.address for instance in instances]
        if twice := sorted({text for text in addresses if addresses.count(text) > 1}):
            raise ValueError(f"service {service}: named twice: {', '.join(twice)}; give it a larger weight instead")
        self._set(service, instances)

    def _endpoint(self, service: str, text: str, weight: int) -> Instance:
        if not 1 <= weight <= MAX_WEIGHT:
            raise ValueError(f'"{text}": the weight {weight} is not from 1 to {MAX_WEIGHT}')
        return self._instance(service, address.parse(text), weight)
