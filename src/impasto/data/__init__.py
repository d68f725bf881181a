"""From a source of pictures to batches: listing, decoding, the prepared set on disk, and the feed.

Nothing here but `feed` imports torch, so that workers and `inspect` start quickly.
"""
