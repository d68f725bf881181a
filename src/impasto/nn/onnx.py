"""Networks of others in ONNX, opened by ONNX Runtime, which is there where the extra `onnx` is installed."""

from pathlib import Path
from typing import Any

from impasto.errors import BadInput


def opened(
    network: Path | bytes,
    *,
    said: str,
    error: type[BadInput],
    threads: int = 1,
    gpu: int | None = None,
) -> Any:
    """The network, ready to run: a session of ONNX Runtime.

    Args:
        network: its file, or what is in it; then nothing beside the file is read.
        said: what led here, such as a file's name; messages begin with it.
        error: what is raised.
        threads: that compute.
        gpu: number of the graphics card to compute on, if ONNX Runtime can; none is the CPU.

    Raises:
        BadInput: `error`, because ONNX Runtime is not installed or does not understand the network.
    """
    try:
        import onnxruntime
    except ImportError:
        raise error(
            f"{said}: ONNX networks need one more package: pip install 'impasto[onnx]'"
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4
    places: list[Any] = ["CPUExecutionProvider"]
    if gpu is not None and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        places.insert(0, ("CUDAExecutionProvider", {"device_id": gpu, "use_tf32": 0}))
    source = network if isinstance(network, bytes) else str(network)
    try:
        return onnxruntime.InferenceSession(source, options, providers=places)
    except Exception as problem:  # noqa: BLE001 - ONNX Runtime's own errors share no public class
        told = " ".join(str(problem).split())
        raise error(f"{said}: not a network that ONNX Runtime reads ({told})") from None
