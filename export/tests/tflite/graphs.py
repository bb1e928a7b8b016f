"""Small TFLite graphs, operator by operator."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgekit_export.tflite.flatbuffer import Graph, read_tflite, write_tflite
from tests.tflite_files import flatbuffer

TYPES = {"float32": 0, "float16": 1, "int32": 2}
VALID = 1


class Maker:
    """A TFLite graph, operator by operator; tensor 0 is the input."""

    def __init__(self, shape):
        self.tensors, self.buffers, self.operators, self.codes = [], [schema.BufferT()], [], []
        self.tensor("x", shape, "float32")

    def tensor(self, name, shape, dtype, buffer=0):
        made = schema.TensorT()
        made.name, made.shape, made.type, made.buffer = name, np.int32(shape), TYPES[dtype], buffer
        self.tensors.append(made)
        return len(self.tensors) - 1

    def constant(self, value):
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(value.tobytes(), np.uint8)
        self.buffers.append(buffer)
        return self.tensor(f"c{len(self.tensors)}", value.shape, str(value.dtype), len(self.buffers) - 1)

    def add(self, kind, inputs, shape, options="", **values):
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, kind)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = 1
        self.codes.append(code)
        made = schema.OperatorT()
        made.opcodeIndex = len(self.codes) - 1
        made.inputs = np.int32(inputs)
        made.outputs = np.int32([self.tensor(f"t{len(self.tensors)}", shape, "float32")])
        if options:
            made.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            made.builtinOptions = getattr(schema, f"{options}T")()
            for name, value in values.items():
                setattr(made.builtinOptions, name, value)
        self.operators.append(made)
        return int(made.outputs[0])

    def graph(self, *outputs):
        main = schema.SubGraphT()
        main.tensors, main.operators = self.tensors, self.operators
        main.inputs, main.outputs = np.int32([0]), np.int32(outputs or [len(self.tensors) - 1])
        model = schema.ModelT()
        model.version, model.subgraphs, model.buffers = 3, [main], self.buffers
        model.operatorCodes = self.codes
        return Graph(model)


def anchored(side=32, anchors=((8, 2), (16, 6)), seed=0):
    """A detector as MediaPipe's are: a convolution a stride, boxes of 16 channels, scores of one, levels in a row."""
    rng = np.random.default_rng(seed)
    made = Maker((1, side, side, 3))
    parts = {16: [], 1: []}
    for stride, each in anchors:
        cells = side // stride
        for channels, found in parts.items():
            weight = made.constant(
                rng.normal(0, 0.05, (each * channels, stride, stride, 3)).astype(np.float32)
            )
            bias = made.constant(np.tile(np.float32([0, 0, 12, 12] * (channels // 4) or [-1]), each))
            options = {"padding": VALID, "strideH": stride, "strideW": stride}
            options |= {"dilationHFactor": 1, "dilationWFactor": 1}
            shape = (1, cells, cells, each * channels)
            map_ = made.add("CONV_2D", [0, weight, bias], shape, "Conv2DOptions", **options)
            rows = np.int32([1, cells * cells * each, channels])
            inputs = [map_, made.constant(rows)]
            found.append(made.add("RESHAPE", inputs, rows, "ReshapeOptions", newShape=rows))
    n = sum((side // stride) ** 2 * each for stride, each in anchors)
    outputs = [
        made.add("CONCATENATION", found, (1, n, channels), "ConcatenationOptions", axis=1)
        for channels, found in parts.items()
    ]
    return made.graph(*outputs)


def one_layer(kind, source, weight, output, stride=1, fused=0, seed=0):
    """A convolution or linear layer named ``y``; sizes of what it reads, of its weight and of what it gives."""
    rng = np.random.default_rng(seed)
    made = Maker(source)
    outputs = weight[3] if kind == "DEPTHWISE_CONV_2D" else weight[0]
    values = made.constant(rng.normal(0, 0.3, weight).astype(np.float32))
    inputs = [0, values, made.constant(rng.normal(0, 1, outputs).astype(np.float32))]
    if kind == "FULLY_CONNECTED":
        made.add(kind, inputs, output, "FullyConnectedOptions", fusedActivationFunction=fused)
    else:
        steps = {"strideH": stride, "strideW": stride, "dilationHFactor": 1, "dilationWFactor": 1}
        if kind == "DEPTHWISE_CONV_2D":
            made.add(kind, inputs, output, "DepthwiseConv2DOptions", padding=0, depthMultiplier=1, **steps)
        else:
            made.add(kind, inputs, output, "Conv2DOptions", padding=0, fusedActivationFunction=fused, **steps)
    graph = made.graph()
    graph.rename(len(made.tensors) - 1, "y")
    return graph


def softmax_classifier(shape=(1, 8, 8, 3)):
    """The file of a linear layer of each channel's mean and a softmax."""
    made = Maker(shape)
    axes, classes = made.constant(np.int32([1, 2])), shape[3]
    means = made.add("MEAN", [0, axes], (1, classes), "ReducerOptions", keepDims=False)
    weight = made.constant(np.eye(classes, dtype=np.float32) / 16)
    scores = made.add("FULLY_CONNECTED", [means, weight], (1, classes), "FullyConnectedOptions")
    made.add("SOFTMAX", [scores], (1, classes), "SoftmaxOptions", beta=1.0)
    return write_tflite(made.graph())


def normalization_metadata(mean, std):
    """Metadata that name a normalisation of the first input."""
    options = {0: np.asarray(mean, np.float32), 1: np.asarray(std, np.float32)}
    image = {0: "image", 4: [{0: ("B", 1), 1: options}]}
    return flatbuffer({0: "m", 3: [{2: [image]}]}, b"M001")


def with_metadata(data, metadata):
    """The file with metadata as tflite-support writes them."""
    graph = read_tflite(data, "m.tflite")
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = np.frombuffer(metadata, np.uint8)
    entry.name, entry.buffer = b"TFLITE_METADATA", len(graph.model.buffers)
    graph.model.buffers = [*graph.model.buffers, buffer]
    graph.model.metadata = [entry]
    return write_tflite(graph)
