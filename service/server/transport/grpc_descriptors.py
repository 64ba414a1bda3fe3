"""Finds the descriptions of the gRPC services that server reflection sends to clients."""

from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from service.server.protocols.oip import inference_pb2


class Descriptors:
    """The files of the services, as a descriptor pool finds them, and by the name of a method too.

    Clients such as grpcurl ask for methods, which protobuf's pools for Python do not find.
    """

    def __init__(self) -> None:
        # The inference messages are in no shared pool.
        pool = DescriptorPool()
        for module in (inference_pb2, health_pb2, reflection_pb2):
            pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
        self._pool = pool
        self.FindFileByName: Callable[[str], Any] = pool.FindFileByName
        self.FindMessageTypeByName: Callable[[str], Any] = pool.FindMessageTypeByName
        self.FindExtensionByNumber: Callable[[Any, int], Any] = pool.FindExtensionByNumber
        self.FindAllExtensions: Callable[[Any], Any] = pool.FindAllExtensions

    def FindFileContainingSymbol(self, symbol: str) -> Any:
        """Return the file that defines a message, a service, a method or another symbol.

        Raises:
            KeyError: There is none.
        """
        try:
            return self._pool.FindFileContainingSymbol(symbol)
        except KeyError:
            service, _, method = symbol.rpartition(".")
            found = self._pool.FindServiceByName(service)
            if method not in found.methods_by_name:
                raise
            return found.file
