package dev.sluice.dma;

import static dev.sluice.dma.DmaMachine.DEVICE;
import static dev.sluice.dma.DmaMachine.PAGE;
import static dev.sluice.dma.DmaMachine.RAM;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.iommu.Endpoint;
import dev.sluice.iommu.Invalidation;
import dev.sluice.iommu.RequesterId;
import dev.sluice.iommu.Requesters;
import dev.sluice.iommu.Translation.Page;
import dev.sluice.memory.Access;
import dev.sluice.memory.GuestMemory;
import dev.sluice.memory.Word;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Requests that carry a PASID: an address space for each, and invalidations that name them.
///
/// The IOMMU's tags here are domain << 20 | PASID, as in an architecture whose IOTLB knows both.
class PasidTest {
  private static final RequesterId OTHER = RequesterId.of(0, 6, 0);
  private static final long PASID_BITS = 0xF_FFFF;

  private final DmaMachine machine = new DmaMachine();
  private final DmaContext plain = machine.dma;
  private final DmaContext one = with(DEVICE, 1);
  private final DmaContext two = with(DEVICE, 2);
  private final DmaContext ofOther = with(OTHER, 1);
  private final List<String> completed = machine.completed;

  /// Page 0 of every address space, each on a page of RAM of its own, which holds its number.
  PasidTest() {
    machine.map(0, 0);
    map(DEVICE, 1, 0x10_0001, 1);
    map(DEVICE, 2, 0x10_0002, 2);
    map(OTHER, 1, 0x20_0001, 3);
    for (int page = 0; page < 4; page++) {
      machine.memory.store(RAM + page * PAGE, 8, ByteOrder.LITTLE_ENDIAN, page);
    }
  }

  private DmaContext with(RequesterId requester, int pasid) {
    return DmaContext.behind(machine.iommu, machine.memory, requester, pasid);
  }

  private void map(RequesterId requester, int pasid, long tag, int ramPage) {
    machine.iommu.move(requester, pasid, tag);
    machine.iommu.map(new Page(0, RAM + ramPage * PAGE, 12, true, true, tag));
  }

  private static long load(DmaContext by) {
    Word word = new Word();
    assertThat(by.load(0, 8, ByteOrder.LITTLE_ENDIAN, word)).isNull();
    return word.asLong();
  }

  private static Mapping mapping(DmaContext by) {
    return (Mapping) by.map(0, PAGE, Access.READ_WRITE);
  }

  private void invalidate(Invalidation what, String name) {
    machine.iommu.invalidator().invalidate(what, () -> completed.add(name));
  }

  @Test
  void eachPasidOfAFunctionHasAnAddressSpaceOfItsOwn() {
    for (int again = 0; again < 2; again++) {
      assertThat(load(plain)).isEqualTo(0);
      assertThat(load(one)).isEqualTo(1);
      assertThat(load(two)).isEqualTo(2);
      assertThat(load(ofOther)).isEqualTo(3);
    }
    assertThat(machine.iommu.walks()).isEqualTo(4);
  }

  @Test
  void aRefusalSaysWithWhichPasid() {
    assertThat(two.fill(PAGE, 1, (byte) 0))
        .isNotNull()
        .returns(2, TargetAbort::pasid)
        .asString()
        .contains("00:05.0 with PASID 0x2 refused");
    assertThat(plain.fill(PAGE, 1, (byte) 0))
        .isNotNull()
        .returns(Endpoint.NO_PASID, TargetAbort::pasid)
        .asString()
        .contains("00:05.0 refused");
    assertThat(one.endpoint()).hasToString("endpoint 00:05.0 PASID 0x1");
  }

  @Test
  void anInvalidationOfOnePasidOfADomainWaitsForNoOther() {
    Mapping ofOne = mapping(one);
    Mapping ofTwo = mapping(two);
    invalidate(Invalidation.ofSpace(0x10_0001), "one");
    assertThat(completed).isEmpty();
    ofTwo.close();
    assertThat(completed).isEmpty();
    ofOne.close();
    assertThat(completed).containsExactly("one");
  }

  @Test
  void anInvalidationOfADomainWaitsForAllItsPasids() {
    Mapping ofOne = mapping(one);
    Mapping ofTwo = mapping(two);
    Mapping another = mapping(ofOther);
    invalidate(Invalidation.ofRange(~PASID_BITS, 0x10_0000, 0, -1), "domain");
    ofOne.close();
    assertThat(completed).isEmpty();
    ofTwo.close();
    assertThat(completed).containsExactly("domain");
    another.close();
  }

  @Test
  void anInvalidationOfAPasidOfEveryDomainDropsAndDrainsItEverywhere() {
    load(plain);
    load(two);
    int walks = machine.iommu.walks();
    Mapping ofOne = mapping(one);
    Mapping another = mapping(ofOther);
    invalidate(Invalidation.ofRange(PASID_BITS, 1, 0, PAGE - 1), "pasid");
    ofOne.close();
    assertThat(completed).isEmpty();
    another.close();
    assertThat(completed).containsExactly("pasid");
    load(plain);
    load(two);
    assertThat(machine.iommu.walks()).isEqualTo(walks + 2);
    load(one);
    load(ofOther);
    assertThat(machine.iommu.walks()).as("only those two were dropped").isEqualTo(walks + 4);
  }

  @Test
  void theBindingsOfAFunctionGoWithAllItsPasids() {
    Mapping ofPlain = mapping(plain);
    Mapping ofOne = mapping(one);
    load(two);
    load(ofOther);
    invalidate(Invalidation.ofBindings(Requesters.of(DEVICE)), "function");
    assertThat(plain.endpoint().space()).isNull();
    assertThat(one.endpoint().space()).isNull();
    assertThat(two.endpoint().space()).isNull();
    assertThat(ofOther.endpoint().space()).isNotNull();
    ofOne.close();
    assertThat(completed).isEmpty();
    ofPlain.close();
    assertThat(completed).containsExactly("function");
  }

  @Test
  void theBindingOfOnePasidLeavesTheOthersOfItsFunction() {
    Mapping ofPlain = mapping(plain);
    Mapping ofTwo = mapping(two);
    Mapping ofOne = mapping(one);
    invalidate(Invalidation.ofBinding(one.endpoint()), "one");
    assertThat(one.endpoint().space()).isNull();
    assertThat(two.endpoint().space()).isNotNull();
    assertThat(plain.endpoint().space()).isNotNull();
    assertThat(completed).isEmpty();
    ofOne.close();
    assertThat(completed).containsExactly("one");
    ofPlain.close();
    ofTwo.close();
  }

  @Test
  void theBindingsOfAPasidGoForEveryFunction() {
    load(one);
    load(two);
    load(ofOther);
    load(plain);
    invalidate(Invalidation.ofBindings(Requesters.ofPasid(1)), "pasid");
    assertThat(one.endpoint().space()).isNull();
    assertThat(ofOther.endpoint().space()).isNull();
    assertThat(two.endpoint().space()).isNotNull();
    assertThat(plain.endpoint().space()).isNotNull();
    invalidate(Invalidation.ofBindings(Requesters.ofPasid(Endpoint.NO_PASID)), "none");
    assertThat(plain.endpoint().space()).isNull();
    assertThat(completed).containsExactly("pasid", "none");
  }

  @Test
  void theEndOfAPasidTakesAwayItsMappingsOnly() {
    Mapping ofOne = mapping(one);
    Mapping ofTwo = mapping(two);
    one.close();
    assertThat(ofOne.isLive()).isFalse();
    assertThat(ofTwo.isLive()).isTrue();
    assertThat(load(two)).isEqualTo(2);
    ofTwo.close();
  }

  @Test
  void aPasidHasTwentyBits() {
    assertThat(with(DEVICE, Endpoint.MAX_PASID).endpoint().pasid()).isEqualTo(0xF_FFFF);
    assertThatThrownBy(() -> with(DEVICE, 0x10_0000)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> with(DEVICE, -2)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Requesters.ofPasid(0x10_0000))
        .isInstanceOf(IllegalArgumentException.class);
    GuestMemory memory = machine.memory;
    assertThat(DmaContext.direct(memory, DEVICE).endpoint().pasid()).isEqualTo(Endpoint.NO_PASID);
  }
}
