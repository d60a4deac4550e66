package dev.sluice.iommu;

import org.jspecify.annotations.Nullable;

/// Some of the requesters behind an IOMMU, as an invalidation names them: by function, by PASID, or
/// by both.
///
/// @param function the function; null for every one
/// @param pasid 0 to [Endpoint#MAX_PASID]; [Endpoint#NO_PASID] for requests that carry none;
///   [#ANY_PASID] for all
public record Requesters(@Nullable RequesterId function, int pasid) {
  /// With whatever PASID, or none.
  public static final int ANY_PASID = -2;

  /// Checks the PASID.
  public Requesters {
    if (pasid != ANY_PASID) {
      Endpoint.checkPasid(pasid);
    }
  }

  /// A function, with whatever PASID.
  public static Requesters of(RequesterId function) {
    return new Requesters(function, ANY_PASID);
  }

  /// One endpoint: a function with its PASID, or without one.
  public static Requesters of(Endpoint endpoint) {
    return new Requesters(endpoint.requester(), endpoint.pasid());
  }

  /// Every function's requests with a PASID.
  public static Requesters ofPasid(int pasid) {
    return new Requesters(null, pasid);
  }

  /// Whether it is one of them.
  public boolean contains(Endpoint endpoint) {
    return (function == null || function.equals(endpoint.requester()))
        && (pasid == ANY_PASID || pasid == endpoint.pasid());
  }
}
