"""Pages of lists that are already in memory; the long lists page in the store."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import strawberry
from graphql import GraphQLError

from .scalars import Cursor

T = TypeVar("T")
# Items of a page: the most, and as many as `first` asks for when it says nothing.
MOST = 100
DEFAULT = 20


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether something follows.")
    has_previous_page: bool = strawberry.field(description="Whether something comes before.")
    start_cursor: Cursor | None = strawberry.field(description="Of the first; null on an empty page.")
    end_cursor: Cursor | None = strawberry.field(description="Of the last: give it as `after` for the next page.")


def page_info(cursors: Sequence[str], has_next: bool, has_previous: bool) -> PageInfo:
    return PageInfo(
        has_next_page=has_next,
        has_previous_page=has_previous,
        start_cursor=Cursor(cursors[0]) if cursors else None,
        end_cursor=Cursor(cursors[-1]) if cursors else None,
    )


def checked_first(first: int) -> int:
    """
    Raises:
        GraphQLError: INVALID_INPUT outside 1 to 100.
    """
    if not 1 <= first <= MOST:
        raise invalid(f"Ask for 1 to {MOST} at a time.", "first")
    return first


def invalid(message: str, *path: str) -> GraphQLError:
    """A query's wrong argument. Mutations answer with problems instead."""
    return GraphQLError(message, extensions={"code": "INVALID_INPUT", "argument": ".".join(path)})


def sliced(
    items: Sequence[T], first: int, after: str | None, cursor: Callable[[T], str]
) -> tuple[Sequence[T], PageInfo]:
    """The page of `first` items behind the cursor `after`.

    Raises:
        GraphQLError: INVALID_INPUT for a cursor that is not of this list.
    """
    checked_first(first)
    start = 0
    if after is not None:
        start = next((index + 1 for index, item in enumerate(items) if cursor(item) == after), -1)
        if start < 0:
            raise invalid("This cursor is not of this list.", "after")
    page = items[start : start + first]
    return page, page_info([cursor(item) for item in page], start + first < len(items), start > 0)
