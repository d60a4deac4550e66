package dev.sluice.vfiouser.server;

import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// The requests to the client that have no reply yet, by id. Guarded by the lock of [PeerMemory].
///
/// An id is a place in the table and, above it, a count of the place's uses: a reply that comes
/// after its request was given up is not taken for the next one's.
final class PeerRequestTable {
  private static final int ID_MASK = 0xffff;
  private static final int PLACE_BITS = Integer.numberOfTrailingZeros(Limits.PEER_REQUESTS);

  private final @Nullable PeerRequest[] requests = new PeerRequest[Limits.PEER_REQUESTS];
  private final int[] uses = new int[Limits.PEER_REQUESTS];

  /// Gives `request` a place.
  ///
  /// @return its id; -1 when there is none free
  int place(PeerRequest request) {
    for (int place = 0; place < requests.length; place++) {
      if (requests[place] == null) {
        requests[place] = request;
        uses[place]++;
        return idOf(place);
      }
    }
    return -1;
  }

  /// Whether every place is taken.
  boolean isFull() {
    for (PeerRequest request : requests) {
      if (request == null) {
        return false;
      }
    }
    return true;
  }

  /// The request of that id; null when there is none.
  @Nullable PeerRequest find(int id) {
    int place = placeOf(id);
    return id == idOf(place) ? requests[place] : null;
  }

  /// Frees the place of a request that was found.
  void free(int id) {
    requests[placeOf(id)] = null;
  }

  /// Ends, as failed, each request that `which` says. Their places are freed by those who wait for
  /// them, or by their replies.
  void endIf(Predicate<PeerRequest> which) {
    for (PeerRequest request : requests) {
      if (request != null && which.test(request)) {
        request.end(PeerRequest.State.FAILED);
      }
    }
  }

  private int idOf(int place) {
    return (uses[place] << PLACE_BITS | place) & ID_MASK;
  }

  private static int placeOf(int id) {
    return id & (Limits.PEER_REQUESTS - 1);
  }
}
