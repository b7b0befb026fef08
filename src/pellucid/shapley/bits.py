"""Bit counts as single machine instructions, for Numba code."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


@intrinsic
def popcount(typing_context: Any, x: Any) -> Any:
    """Count the set bits of a uint64, as int64."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), emit


@intrinsic
def lowest_bit(typing_context: Any, x: Any) -> Any:
    """Position of the lowest set bit of a uint64 that is not zero, as int64."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], cgutils.true_bit)

    return types.int64(types.uint64), emit


@intrinsic
def prefetch(typing_context: Any, array: Any, index: Any) -> Any:
    """Ask for the cache line of ``array[index]``, which a later load will want."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.bitcast(builder.gep(data, [arguments[1]]), cgutils.voidptr_t)
        kind = cgutils.ir.FunctionType(
            cgutils.ir.VoidType(), [cgutils.voidptr_t, *[cgutils.int32_t] * 3]
        )
        hint = builder.module.declare_intrinsic("llvm.prefetch", (cgutils.voidptr_t,), kind)
        read, keep, data_cache = (cgutils.int32_t(n) for n in (0, 3, 1))
        builder.call(hint, [place, read, keep, data_cache])
        return context.get_dummy_value()

    return types.void(array, types.int64), emit
